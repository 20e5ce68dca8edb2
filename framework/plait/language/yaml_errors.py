"""Explain errors of the YAML parser in plain words, at the place to mend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from plait.problems.problem import Span, excerpt

if TYPE_CHECKING:
    from plait.language.source_map import Lines, Point

_KEY_WITHOUT_SPACE = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*:)[^\s:/]")
_CONFLICT_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})(\s|$)")
_QUOTED_OR_FLOW_VALUE = re.compile(r"""\s*(?:-\s+)*(?:[^\s:#"']+|"[^"]*"|'[^']*')\s*:\s+(?=(["'\[{]))""")
_QUOTE = "put the text in quotes"


@dataclass(frozen=True, slots=True)
class _ParserError:
    """What PyYAML says, where it stopped, and where the construct began that it was reading."""

    text: str
    stop: Point
    start: Point


class Explanation(NamedTuple):
    """The place, code, message and help of a syntax problem."""

    span: Span
    code: str
    message: str
    help: str


class _Rule(NamedTuple):
    """How an error is explained whose text matches `pattern`; `{c}` stands for the character at its place."""

    pattern: str
    is_at_start: bool
    code: str
    message: str
    help: str


_RULES = (
    _Rule(r"quoted scalar.*unexpected (end|document)", True, "yaml-syntax",
          "the quote {c} is never closed", "end the text with {c}"),
    _Rule(r"flow (sequence|mapping).*expected ','", True, "yaml-syntax",
          "{c} is never closed", "add the closing bracket"),
    _Rule(r"simple key.*expected ':'", True, "yaml-syntax",
          "a key without a colon", "write `name: value`, with a space after the colon"),
    _Rule(r"mapping values", False, "yaml-syntax", "a colon where no key can stand",
          "put a value that contains `: ` in quotes, or align the key with those above"),
    _Rule(r"cannot start any token", False, "yaml-syntax", "{c} cannot begin a value", _QUOTE),
    _Rule(r"unknown escape", False, "yaml-syntax",
          "double quotes do not know this `\\` sequence", "write `\\\\`, or use single quotes"),
    _Rule(r"block scalar", False, "yaml-syntax",
          "text on the line of `|` or `>`", "begin the text on the next line, indented by spaces"),
    _Rule(r"scanning an (anchor|alias)", True, "yaml-alias",
          "{c} begins an anchor or alias, which are not read here", _QUOTE),
    _Rule(r"tag", True, "yaml-tag", "{c} begins a tag, which is not read here", _QUOTE),
    _Rule(r"directive|incompatible", False, "yaml-syntax", "`%` lines are not read here", "remove the line"),
    _Rule(r"sequence entries", False, "yaml-syntax", "a list cannot begin on the line of its key",
          "begin the list on the next line, or write `[a, b]`"),
    _Rule(r"block collection", False, "yaml-syntax", "an item of the list does not begin with `- `",
          "align it with the items above, or with the keys"),
    _Rule(r"node content", False, "yaml-syntax", "a value is missing before {c}",
          "write the value, or put the text in quotes"),
    _Rule(r"block mapping|document start", False, "yaml-syntax", "this does not fit the lines above",
          "align the keys of a mapping; put text with quotes or brackets in quotes"),
)  # fmt: skip


def explain(error: Any, lines: Lines) -> Explanation:
    """Explain a `yaml.MarkedYAMLError`; the place lies in the text, also where the parser stopped behind its end."""
    parser_error = _parser_error(error)
    return (
        _conflict_marker(lines, parser_error)
        or _tab(lines, parser_error)
        or _missing_space(lines, parser_error)
        or _missing_dash(lines, parser_error)
        or _unquoted_brace(lines, parser_error)
        or _missing_comma(lines, parser_error)
        or _text_after_value(lines, parser_error)
        or _by_rule(lines, parser_error)
    )


def _parser_error(error: Any) -> _ParserError:
    mark = error.problem_mark or error.context_mark
    stop = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    context = error.context_mark
    start = (context.line + 1, context.column + 1) if context else stop
    return _ParserError(f"{error.context}: {error.problem}", stop, start)


def _explanation(lines: Lines, point: Point, width: int, code: str, message: str, help: str) -> Explanation:
    return Explanation(lines.span(point, (point[0], point[1] + width)), code, message, help)


def _conflict_marker(lines: Lines, error: _ParserError) -> Explanation | None:
    for number in sorted({error.start[0], error.stop[0], error.stop[0] - 1}):
        if match := _CONFLICT_MARKER.match(lines.line(number)):
            message = f"this is a conflict marker of git ({excerpt(lines.line(number).strip())})"
            help = "resolve the conflict and remove the markers"
            return _explanation(lines, (number, 1), len(match[1]), "merge-conflict", message, help)
    return None


def _tab(lines: Lines, error: _ParserError) -> Explanation | None:
    if lines.character(error.stop) != "\t":
        return None
    number, column = error.stop
    line = lines.line(number)
    above = next((text for text in reversed(lines.lines[: number - 1]) if text.strip()), "")
    spaces = len(above) - len(above.lstrip(" "))
    is_indentation = column <= len(line) - len(line.lstrip())
    help = f"indent with spaces: the line above has {spaces}" if is_indentation and spaces else "write spaces"
    message = "a tab stands where YAML takes only spaces"
    return _explanation(lines, error.stop, 1, "yaml-tab", message, help)


def _missing_space(lines: Lines, error: _ParserError) -> Explanation | None:
    """Find a colon without a space after it, on the line of the construct or the one above."""
    if "simple key" not in error.text and "mapping values" not in error.text:
        return None
    for number in (error.start[0], error.start[0] - 1):
        if match := _KEY_WITHOUT_SPACE.match(lines.line(number)):
            point, width = (number, match.start(1) + 1), len(match[1])
            message = f"a space is missing after {excerpt(match[1])}"
            return _explanation(lines, point, width, "yaml-syntax", message, "write `name: value`")
    return None


def _missing_dash(lines: Lines, error: _ParserError) -> Explanation | None:
    """Find an entry of a list that stands in braces, without the dash of those above."""
    line, above = lines.line(error.start[0]), lines.line(error.start[0] - 1)
    begins_with_bracket = lines.character(error.start) in tuple("{[")
    if "simple key" not in error.text or not begins_with_bracket or not above.lstrip().startswith("- "):
        return None
    message, help = "`- ` is missing before this entry of the list", f"write `- {line.strip()[:30]}…`"
    return _explanation(lines, error.start, 1, "yaml-syntax", message, help)


def _is_in_flow(error: _ParserError) -> bool:
    return "flow mapping" in error.text or "flow sequence" in error.text


def _unquoted_brace(lines: Lines, error: _ParserError) -> Explanation | None:
    """Find a text with a brace in it that stands in `{…}` or `[…]` without quotes."""
    number, column = error.stop
    before = lines.line(number)[: column - 1]
    if _is_in_flow(error) and (braces := re.search(r"\{[^{}]*\}$", before)):
        rest = re.match(r"[^\s,{}\]]*", lines.line(number)[column - 1 :])
        text = braces[0] + (rest[0] if rest else "")
        message, help = "a brace within `{…}` or `[…]` needs quotes", f'write `"{text[:40]}"`'
        return _explanation(lines, (number, braces.start() + 1), len(text), "yaml-syntax", message, help)
    continues_text = before.strip(" ")[-1:] not in ("", ",", ":", "[", "{")
    if not _is_in_flow(error) or lines.character(error.stop) != "{" or not continues_text:
        return None
    word = re.search(r"[^\s,]+$", before)
    start = word.start() + 1 if word else column
    match = re.match(r"[^\s{},]*(\{[^{}\s]*\}[^\s{},\]]*)+", lines.line(number)[start - 1 :])
    text = match[0] if match else "{"
    message, help = "a brace within `{…}` or `[…]` needs quotes", f'write `"{text[:40]}"`'
    return _explanation(lines, (number, start), len(text), "yaml-syntax", message, help)


def _missing_comma(lines: Lines, error: _ParserError) -> Explanation | None:
    """Find an entry of `{…}` or `[…]` that follows another without a comma."""
    if not _is_in_flow(error):
        return None
    number, column = error.stop
    line, first_line = lines.line(number), lines.line(error.start[0])
    is_after_key = lines.character(error.stop) == ":"
    key = re.search(r"[^\s,{}\[\]]+\s*$", line[: column - 1]) if is_after_key else None
    start = key.start() + 1 if key else column
    name = re.match(r"[^\s,:{}\[\]]+", line[start - 1 :])
    is_inside = number == error.start[0] or _indentation(line) > _indentation(first_line)
    if not name or not is_inside:
        return None
    message, help = f"a comma is missing before {excerpt(name[0])}", "put a comma between two entries"
    return _explanation(lines, (number, start), len(name[0]), "yaml-syntax", message, help)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _text_after_value(lines: Lines, error: _ParserError) -> Explanation | None:
    """Find text that goes on after a closing bracket or quote."""
    number, column = error.stop
    line = lines.line(number)
    last = line[: column - 1].rstrip()[-1:]
    value = _QUOTED_OR_FLOW_VALUE.match(line)
    if "block mapping" not in error.text or not value or last not in tuple("}]\"'"):
        return None
    character = lines.character(error.stop)
    if character in ("}", "]"):
        message, help = f"a {excerpt(character)} too many", "remove it, or put the text in quotes"
        return _explanation(lines, error.stop, 1, "yaml-syntax", message, help)
    message = f"the text goes on after {excerpt(last)}"
    help = {
        "'": "double a `'` that belongs to the text",
        '"': 'write `\\"` for a quote of the text',
    }.get(last, "put the whole value in quotes")
    return _explanation(lines, (number, value.end() + 1), 1, "yaml-syntax", message, help)


def _by_rule(lines: Lines, error: _ParserError) -> Explanation:
    rule = next((rule for rule in _RULES if re.search(rule.pattern, error.text)), None)
    if rule is None:
        message, help = "this cannot be read as YAML", "put it in quotes if it is text"
        return _explanation(lines, error.stop, 1, "yaml-syntax", message, help)
    point = error.start if rule.is_at_start else error.stop
    character = lines.character(point)
    shown = excerpt(character) if character else "the end of the line"
    message, help = rule.message.format(c=shown), rule.help.format(c=shown)
    return _explanation(lines, point, 1, rule.code, message, help)
