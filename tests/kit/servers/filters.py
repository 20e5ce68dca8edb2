"""Filter patterns of CloudWatch Logs for lines of plain text; every other pattern is refused, never taken as "all"."""

import re
from collections.abc import Callable

LONGEST = 1024
WORD = re.compile(r"[A-Za-z0-9_]+")
TOKEN = re.compile(
    r"""\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]*)%|(?P<word>[^\s"%]+))(?=\s|$)"""
)
# What a regular expression may consist of; groups, look-arounds and other symbols are refused.
REGEX = re.compile(r"(?:[A-Za-z0-9_#=@/;:,\-^$?\[\]{}|*+.]|\\[dDwWsS]|\\x[0-9A-Fa-f]{2}|\\[^A-Za-z0-9])+")


class RefusedError(ValueError):
    """The pattern is not one that this stand-in knows to be right."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a line matches; raises RefusedError.

    Words are all needed, and compared whole and with their case; `-` excludes; of words with `?` one is needed, but
    beside others they mean nothing; a phrase in quotes is found as it is; a regular expression stands alone.
    """
    if len(pattern) > LONGEST:
        raise RefusedError(f"a pattern has at most {LONGEST} characters")
    if pattern.strip() in ("", '" "'):
        return lambda _line: True
    if pattern.lstrip()[0] in "{[":
        raise RefusedError("patterns of JSON and of fields are not known here")
    needed, optional, excluded = _terms(pattern)

    def matches(line: str) -> bool:
        if any(term(line) for term in excluded):
            return False
        if needed or excluded:
            return all(term(line) for term in needed)
        return any(term(line) for term in optional)

    return matches


Term = Callable[[str], bool]


def _terms(pattern: str) -> tuple[list[Term], list[Term], list[Term]]:
    terms: dict[str, list[Term]] = {"": [], "?": [], "-": []}
    position, text = 0, pattern.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise RefusedError(f"a quote or a percent sign has no other: {text[position:]}")
        if match["regex"] is not None and (match.end() < len(text) or position or match["sign"]):
            raise RefusedError("a regular expression stands alone")
        terms[match["sign"]].append(_term(match))
        position = match.end()
    return terms[""], terms["?"], terms["-"]


def _term(match: re.Match[str]) -> Term:
    if (phrase := match["phrase"]) is not None:
        plain = re.sub(r"\\(.)", r"\1", phrase)
        return lambda line: plain in line
    if (regex := match["regex"]) is not None:
        if not REGEX.fullmatch(regex):
            raise RefusedError(f"not a regular expression that is supported: {regex}")
        try:
            return lambda line, compiled=re.compile(regex, re.ASCII): bool(compiled.search(line))  # type: ignore[misc]
        except re.error as error:
            raise RefusedError(str(error)) from error
    if not WORD.fullmatch(match["word"]):
        raise RefusedError(f"quotes are needed around {match['word']}")
    whole_word = re.compile(rf"(?<![A-Za-z0-9_]){match['word']}(?![A-Za-z0-9_])")
    return lambda line: bool(whole_word.search(line))
