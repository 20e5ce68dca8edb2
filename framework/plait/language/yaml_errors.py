"""What the YAML parser complains of, in our words, at the place to mend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[int, int]
_TIGHT = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*:)[^\s:/]")
_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})(\s|$)")
_VALUE = re.compile(r"""\s*(?:-\s+)*(?:[^\s:#"']+|"[^"]*"|'[^']*')\s*:\s+(?=(["'\[{]))""")
_QUOTES = "put the text in quotes"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong at one place of a line."""

    line: int
    column: int
    width: int
    code: str
    message: str
    help: str


class _Said(NamedTuple):
    """What PyYAML says, whether the cure is where the construct began, our code, words and cure."""

    pattern: str
    from_the_start: bool
    code: str
    message: str
    help: str


_SYNTAX = (
    _Said(r"quoted scalar.*unexpected (end|document)", True, "yaml-syntax",
          "the quote {c} is never closed", "end the text with {c}"),
    _Said(r"flow (sequence|mapping).*expected ','", True, "yaml-syntax",
          "{c} is never closed", "add the closing bracket"),
    _Said(r"simple key.*expected ':'", True, "yaml-syntax",
          "a key without a colon", "write `name: value`, with a space after the colon"),
    _Said(r"mapping values", False, "yaml-syntax", "a colon where no key can stand",
          "put a value that contains `: ` in quotes, or align the key with those above"),
    _Said(r"cannot start any token", False, "yaml-syntax", "{c} cannot begin a value", _QUOTES),
    _Said(r"unknown escape", False, "yaml-syntax",
          "double quotes do not know this `\\` sequence", "write `\\\\`, or use single quotes"),
    _Said(r"block scalar", False, "yaml-syntax",
          "text on the line of `|` or `>`", "begin the text on the next line, indented by spaces"),
    _Said(r"scanning an (anchor|alias)", True, "yaml-alias",
          "{c} begins an anchor or alias, which are not read here", _QUOTES),
    _Said(r"tag", True, "yaml-tag", "{c} begins a tag, which is not read here", _QUOTES),
    _Said(r"directive|incompatible", False, "yaml-syntax", "`%` lines are not read here", "remove the line"),
    _Said(r"sequence entries", False, "yaml-syntax", "a list cannot begin on the line of its key",
          "begin the list on the next line, or write `[a, b]`"),
    _Said(r"block collection", False, "yaml-syntax", "an item of the list does not begin with `- `",
          "align it with the items above, or with the keys"),
    _Said(r"node content", False, "yaml-syntax", "a value is missing before {c}",
          "write the value, or put the text in quotes"),
    _Said(r"block mapping|document start", False, "yaml-syntax", "this does not fit the lines above",
          "align the keys of a mapping; put text with quotes or brackets in quotes"),
)  # fmt: skip


def explain(said: str, at: Point, begun: Point, lines: Sequence[str]) -> Complaint:
    """Say what is wrong; `at` and `begun` are where the parser stopped, and where what it read began."""
    code = Text(lines)
    told = (
        _marker(code, at, begun)
        or _tab(code, at)
        or _tight(code, said, begun)
        or _dash(code, said, begun)
        or _comma(code, said, at, begun)
        or _after(code, said, at)
    )
    return told or _generic(code, said, at, begun)


class Text:
    """Lines by number, each empty where there is none."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines

    def line(self, number: int) -> str:
        """The line of a number, which counts from 1."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def character(self, point: Point) -> str:
        """The character at a place; empty at the end of a line."""
        return self.line(point[0])[point[1] - 1 : point[1]]


def _marker(text: Text, at: Point, begun: Point) -> Complaint | None:
    for number in sorted({begun[0], at[0], at[0] - 1}):
        if found := _MARKER.match(text.line(number)):
            message = f"this is a conflict marker of git ({excerpt(text.line(number).strip())})"
            help = "resolve the conflict and remove the markers"
            return Complaint(number, 1, len(found[1]), "merge-conflict", message, help)
    return None


def _tab(text: Text, at: Point) -> Complaint | None:
    if text.character(at) != "\t":
        return None
    line = text.line(at[0])
    above = next((one for one in reversed(text.lines[: at[0] - 1]) if one.strip()), "")
    spaces = len(above) - len(above.lstrip(" "))
    indent = at[1] <= len(line) - len(line.lstrip())
    help = f"indent with spaces: the line above has {spaces}" if indent and spaces else "write spaces"
    message = "a tab stands where YAML takes only spaces"
    return Complaint(at[0], at[1], 1, "yaml-tab", message, help)


def _tight(text: Text, said: str, begun: Point) -> Complaint | None:
    """A colon without a space, here or on the line above."""
    if "simple key" not in said and "mapping values" not in said:
        return None
    for number in (begun[0], begun[0] - 1):
        if found := _TIGHT.match(text.line(number)):
            message = f"a space is missing after {excerpt(found[1])}"
            return Complaint(
                number, found.start(1) + 1, len(found[1]), "yaml-syntax", message, "write `name: value`"
            )
    return None


def _dash(text: Text, said: str, begun: Point) -> Complaint | None:
    """An entry of a list that stands in braces, without the dash of those above."""
    line, above = text.line(begun[0]), text.line(begun[0] - 1)
    if (
        "simple key" not in said
        or text.character(begun) not in tuple("{[")
        or not above.lstrip().startswith("- ")
    ):
        return None
    help = f"write `- {line.strip()[:30]}…`"
    return Complaint(*begun, 1, "yaml-syntax", "`- ` is missing before this entry of the list", help)


def _comma(text: Text, said: str, at: Point, begun: Point) -> Complaint | None:
    """An entry of `{…}` or `[…]` that follows another without a comma."""
    if "flow mapping" not in said and "flow sequence" not in said:
        return None
    line = text.line(at[0])
    if text.character(at) == "{" and line[: at[1] - 1].strip(" ")[-1:] not in ("", ",", ":", "[", "{"):
        begin = re.search(r"[^\s,]+$", line[: at[1] - 1])
        column = begin.start() + 1 if begin else at[1]
        found = re.match(r"[^\s{},]*(\{[^{}\s]*\}[^\s{},\]]*)+", line[column - 1 :])
        shown = found[0] if found else "{"
        message = "a brace within `{…}` or `[…]` needs quotes"
        return Complaint(at[0], column, len(shown), "yaml-syntax", message, f'write `"{shown[:40]}"`')
    word = re.search(r"[^\s,{}\[\]]+\s*$", line[: at[1] - 1]) if text.character(at) == ":" else None
    column = word.start() + 1 if word else at[1]
    name = re.match(r"[^\s,:{}\[\]]+", line[column - 1 :])
    opened = text.line(begun[0])
    inside = at[0] == begun[0] or len(line) - len(line.lstrip()) > len(opened) - len(opened.lstrip())
    if not name or not inside:
        return None
    message = f"a comma is missing before {excerpt(name[0])}"
    return Complaint(at[0], column, len(name[0]), "yaml-syntax", message, "put a comma between two entries")


def _after(text: Text, said: str, at: Point) -> Complaint | None:
    """Text that goes on after a closing bracket or quote."""
    line = text.line(at[0])
    last = line[: at[1] - 1].rstrip()[-1:]
    begins = _VALUE.match(line)
    if "block mapping" not in said or not begins or last not in tuple("}]\"'"):
        return None
    character = text.character(at)
    if character in ("}", "]"):
        message = f"a {excerpt(character)} too many"
        return Complaint(at[0], at[1], 1, "yaml-syntax", message, "remove it, or put the text in quotes")
    message = f"the text goes on after {excerpt(last)}"
    help = "put the whole value in quotes"
    if last in "\"'":
        help = (
            "double a `'` that belongs to the text" if last == "'" else 'write `\\"` for a quote of the text'
        )
    return Complaint(at[0], begins.end() + 1, 1, "yaml-syntax", message, help)


def _generic(text: Text, said: str, at: Point, begun: Point) -> Complaint:
    found = next((one for one in _SYNTAX if re.search(one.pattern, said)), None)
    if found is None:
        return Complaint(
            *at, 1, "yaml-syntax", "this cannot be read as YAML", "put it in quotes if it is text"
        )
    point = begun if found.from_the_start else at
    character = text.character(point)
    shown = excerpt(character) if character else "the end of the line"
    return Complaint(*point, 1, found.code, found.message.format(c=shown), found.help.format(c=shown))


def parser_error_places(error: Any) -> tuple[str, Point, Point]:
    """What a parser's error says, where it stopped, and where what it read began."""
    mark = error.problem_mark or error.context_mark
    at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    begun = error.context_mark
    return f"{error.context}: {error.problem}", at, (begun.line + 1, begun.column + 1) if begun else at
