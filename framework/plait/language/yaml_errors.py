"""Explain errors of the YAML parser in plain words, at the place to mend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[int, int]  # line and column, both from 1
_CONFLICT_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})(\s|$)")
_KEY_WITHOUT_SPACE = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*:)[^\s:/]")
_QUOTE = "put the text in quotes"


class Explanation(NamedTuple):
    """What is wrong with `width` characters from a point on."""

    point: Point
    width: int
    code: str
    message: str
    help: str
    is_above: bool = False  # the line at the point is broken, not the one where the parser stopped


class _Rule(NamedTuple):
    """How an error is told whose text matches `error` while the line, with `¦` where the parser stopped, matches `line`.

    The text ends in `within` if the parser stopped on the line of the construct that it was reading, or on one that is
    indented deeper. `{c}` is the character at the place: where the parser stopped, or where the construct began.
    """

    error: str
    line: str
    is_at_start: bool
    message: str
    help: str
    code: str = "yaml-syntax"


_RULES = (
    _Rule("", "¦\t", False, "a tab stands where YAML takes only spaces",
          "write spaces, as many as the lines around it have", "yaml-tab"),
    _Rule(r"flow (sequence|mapping).*expected ',' .*within", r"\}¦|\S ?¦\{", False,
          "a brace within `{…}` or `[…]` needs quotes", 'put the text in quotes, as in `"${name}/folder"`'),
    _Rule(r"flow (sequence|mapping).*expected ',' .*within", "", False, "a comma is missing before this, or a quote",
          "put a comma between two entries, and text with `: ` in quotes"),
    _Rule(r"flow (sequence|mapping).*expected ','", "", True, "{c} is never closed", "add the closing bracket"),
    _Rule(r"quoted scalar.*unexpected (end|document)", "", True, "the quote {c} is never closed", "end the text with {c}"),
    _Rule(r"block mapping", r"[^:]*:\s+\{\w+\}¦[^\s{}]*$", False, "text that begins with `{` is not in quotes",
          "put the whole value in quotes, or write `${name}` for a parameter"),
    _Rule(r"block mapping", r"""["'}\]]\s*¦""", False, "this goes on behind a closing quote or bracket",
          "remove it, or put the whole value in (other) quotes"),
    _Rule(r"simple key.*expected ':'", "", True, "a key without a colon, or an entry of a list without `- `",
          "write `name: value`, with a space after the colon, or `- ` before the entry"),
    _Rule(r"mapping values", "", False, "a colon where no key can stand",
          "put a value that contains `: ` in quotes, or align the key with those above"),
    _Rule(r"cannot start any token", "", False, "{c} cannot begin a value", _QUOTE),
    _Rule(r"unknown escape", "", False, "double quotes do not know this `\\` sequence", "write `\\\\`, or use single quotes"),
    _Rule(r"block scalar", "", False, "text on the line of `|` or `>`", "begin the text on the next line, indented by spaces"),
    _Rule(r"scanning an (anchor|alias)", "", True, "{c} begins an anchor or alias, which are not read here", _QUOTE,
          "yaml-alias"),
    _Rule(r"tag", "", True, "{c} begins a tag, which is not read here", _QUOTE, "yaml-tag"),
    _Rule(r"directive|incompatible", "", False, "`%` lines are not read here", "remove the line"),
    _Rule(r"sequence entries", "", False, "a list cannot begin on the line of its key",
          "begin the list on the next line, or write `[a, b]`"),
    _Rule(r"block collection", "", False, "an item of the list does not begin with `- `",
          "align it with the items above, or with the keys"),
    _Rule(r"node content", "", False, "a value is missing before {c}", "write the value, or put the text in quotes"),
    _Rule(r"block mapping|document start", "", False, "this does not fit the lines above",
          "align the keys of a mapping; put text with quotes or brackets in quotes"),
    _Rule("", "", False, "this cannot be read as YAML", "put it in quotes if it is text"),
)  # fmt: skip


def explain(error: Any, lines: Sequence[str]) -> Explanation:
    """Explain a `yaml.MarkedYAMLError`; its place may lie behind the end of the text."""
    start, stop = _points(error)
    is_within = stop[0] == start[0] or _indentation(lines, stop[0]) > _indentation(lines, start[0])
    text = f"{error.context}: {error.problem} {'within' if is_within else 'behind'}"
    for number in sorted({start[0], stop[0], stop[0] - 1}):
        if match := _CONFLICT_MARKER.match(_line(lines, number)):
            message = f"this is a conflict marker of git ({excerpt(_line(lines, number).strip())})"
            help = "resolve the conflict and remove the markers"
            return Explanation((number, 1), len(match[1]), "merge-conflict", message, help)
    for number in (start[0], start[0] - 1):
        match = _KEY_WITHOUT_SPACE.match(_line(lines, number))
        if match and ("simple key" in text or "mapping values" in text):
            point, message = (number, match.start(1) + 1), f"a space is missing after {excerpt(match[1])}"
            return Explanation(
                point, len(match[1]), "yaml-syntax", message, "write `name: value`", is_above=True
            )
    if "mapping values" in text and (dedented := _dedented(lines, stop[0])):
        return dedented
    line, column = _line(lines, stop[0]), stop[1] - 1
    marked = f"{line[:column]}¦{line[column:]}"
    rule = next(rule for rule in _RULES if re.search(rule.error, text) and re.search(rule.line, marked))
    point = start if rule.is_at_start else stop
    character = _line(lines, point[0])[point[1] - 1 : point[1]]
    shown = excerpt(character) if character else "the end of the line"
    message, help = (words.replace("{c}", shown) for words in (rule.message, rule.help))
    above = _filled(lines, stop[0])
    if rule.code == "yaml-tab" and not line[:column].strip() and _line(lines, above).endswith(":"):
        help = f"write {_indentation(lines, above) + 2} spaces, two more than the line above"
    return Explanation(point, 1, rule.code, message, help)


def lone_line(error: Any, lines: Sequence[str]) -> int | None:
    """The line of an error that began and ended there, if no line below belongs to it."""
    (start, _), (stop, _) = _points(error)
    below = next((number for number in range(stop + 1, len(lines) + 1) if _line(lines, number).strip()), 0)
    is_lone = start == stop <= len(lines) and _indentation(lines, below) <= _indentation(lines, stop)
    return stop if is_lone else None


def _dedented(lines: Sequence[str], number: int) -> Explanation | None:
    """The line above that stands further left than those around it, so that the text of its value seems to go on."""
    above = _filled(lines, number)
    before = _filled(lines, above)
    depth, left = _indentation(lines, number), _indentation(lines, above)
    is_parent = _line(lines, before).rstrip().endswith(":") and _indentation(lines, before) == left
    key = re.match(r"\s*([\w-]+):\s+[^\s|>]", _line(lines, above))
    if key is None or left >= depth or not (is_parent or _indentation(lines, before) == depth):
        return None
    message = f"{excerpt(key[1])} stands further left than the lines around it"
    help = f"indent it by {depth} spaces, as line {number} is"
    return Explanation((above, left + 1), len(key[1]), "yaml-syntax", message, help, is_above=True)


def _filled(lines: Sequence[str], number: int) -> int:
    """The next line above that is neither empty nor a comment; 0 if there is none."""
    above = range(number - 1, 0, -1)
    return next((n for n in above if not re.match(r"\s*(#|$)", _line(lines, n))), 0)


def _points(error: Any) -> tuple[Point, Point]:
    """Where the construct began that the parser was reading, and where it stopped."""
    stop = error.problem_mark or error.context_mark
    start = error.context_mark or stop
    return (start.line + 1, start.column + 1), (stop.line + 1, stop.column + 1)


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number - 1] if 1 <= number <= len(lines) else ""


def _indentation(lines: Sequence[str], number: int) -> int:
    return len(_line(lines, number)) - len(_line(lines, number).lstrip())
