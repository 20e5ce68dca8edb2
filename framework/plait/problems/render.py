"""The three ways a problem is shown: for a terminal, an editor and GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from plait.problems.problem import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plait.problems.problem import Problem, Span

MAX_SHOWN = 20
MAX_ANNOTATIONS = 10  # of each level: GitHub drops those of a step that exceed it
MAX_ROWS = 1_000
MAX_WIDTH = 100
_CONTEXT = 30  # columns shown before the caret of a line that is shortened
_TAB = "    "
_BREAK = re.compile(r"\r\n|\r|\n")
_COLOURS = {"error": "1;31", "warning": "1;33", "gutter": "1;34", "bold": "1"}


def full(
    problems: Iterable[Problem],
    sources: Mapping[str, str],
    colour: bool = False,
    limit: int | None = MAX_SHOWN,
) -> str:
    """The problems as a terminal shows them, each with its line of the source and a caret.

    `sources` are the texts of files by name; `limit` is how many problems are shown, None for all.
    """
    every = list(problems)
    blocks = [_full_block(problem, sources, colour) for problem in every[:limit]]
    if len(every) > len(blocks):
        blocks.append(f"… and {len(every) - len(blocks)} more")
    return "\n\n".join(blocks)


def concise(problems: Iterable[Problem]) -> str:
    """One line for each problem, as editors and grep read it."""
    return "\n".join(_concise_line(problem) for problem in problems)


def github(problems: Iterable[Problem]) -> str:
    """Workflow commands by which GitHub marks lines of a change, for as many problems of a level as it shows."""
    return "\n".join(_workflow_command(problem) for problem in _split_for_github(problems)[0])


def summary(problems: Iterable[Problem]) -> str:
    """A table in Markdown of the problems that GitHub does not mark; empty where it marks all."""
    unmarked = _split_for_github(problems)[1]
    if not unmarked:
        return ""
    rows = [_row(problem) for problem in unmarked[:MAX_ROWS]]
    more = [f"\n… and {len(unmarked) - MAX_ROWS:,} more"] if len(unmarked) > MAX_ROWS else []
    title = f"### plait: {len(unmarked):,} more that could not be marked"
    return "\n".join(
        [title, "", "| place | level | code | problem |", "| --- | --- | --- | --- |", *rows, *more]
    )


def _split_for_github(problems: Iterable[Problem]) -> tuple[list[Problem], list[Problem]]:
    """The problems that GitHub marks, and the others."""
    marked: list[Problem] = []
    unmarked: list[Problem] = []
    room = {"error": MAX_ANNOTATIONS, "warning": MAX_ANNOTATIONS}
    for problem in problems:
        (marked if room[problem.level] > 0 else unmarked).append(problem)
        room[problem.level] -= 1
    return marked, unmarked


def _row(problem: Problem) -> str:
    """A row of the table in Markdown."""
    text = f"{problem.message} ({problem.help})" if problem.help else problem.message
    return f"| {_markdown(_where(problem))} | {problem.level} | `{problem.code}` | {_markdown(text)} |"


def _markdown(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _full_block(problem: Problem, sources: Mapping[str, str], colour: bool) -> str:
    span = problem.span
    gutter = " " * (len(str(span.line)) if span else 1)
    bar = _paint("|", "gutter", colour)
    title = _paint(f"{problem.level}[{problem.code}]", problem.level, colour)
    lines = [f"{title}: {_paint(printable(problem.message), 'bold', colour)}"]
    if problem.file is not None:
        lines.append(f"{gutter}{_paint('-->', 'gutter', colour)} {_where(problem)}")
    source = _source_line(problem, sources)
    if span and source is not None:
        shown, caret = _excerpt_and_caret(source, span)
        number = _paint(str(span.line), "gutter", colour)
        lines += [f"{gutter} {bar}", f"{number} {bar} {shown}".rstrip()]
        lines.append(f"{gutter} {bar} {caret[0]}{_paint(caret[1], problem.level, colour)}")
    for label, text in (("help", problem.help), ("note", problem.note)):
        if text:
            lines.append(f"{gutter} {_paint('=', 'gutter', colour)} {label}: {printable(text)}")
    return "\n".join(lines)


def _source_line(problem: Problem, sources: Mapping[str, str]) -> str | None:
    if problem.span is None or problem.file is None or problem.file not in sources:
        return None
    lines = _BREAK.split(sources[problem.file].removeprefix("\ufeff"))
    return lines[problem.span.line - 1] if 1 <= problem.span.line <= len(lines) else None


def _excerpt_and_caret(line: str, span: Span) -> tuple[str, tuple[str, str]]:
    """The line as shown, shortened around the caret, and the caret with the space before it."""
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    skipped = max(0, span.column - 1 - MAX_WIDTH) if end > MAX_WIDTH else 0
    cells = [_cell(character) for character in line[skipped : skipped + 3 * MAX_WIDTH]]
    begin, end = min(span.column - 1 - skipped, len(cells)), end - skipped
    left = 0
    if _width(cells) > MAX_WIDTH and _width(cells[:end]) >= MAX_WIDTH:
        left = max(0, begin - _CONTEXT)
    right = _end_of_room(cells, left)
    before = "…" if left or skipped else ""
    after = "…" if skipped + right < len(line) else ""
    shown = before + "".join(cells[left:right]) + after
    space = " " * (len(before) + _width(cells[left:begin]))
    return shown, (space, "^" * max(1, _width(cells[begin : min(end, right)])))


def _end_of_room(cells: Sequence[str], left: int) -> int:
    """The index after the last cell that fits on the line, if the cell at `left` is the first."""
    room = MAX_WIDTH
    for right in range(left, len(cells)):
        room -= _width(cells[right : right + 1])
        if room < 0:
            return right
    return len(cells)


def _cell(character: str) -> str:
    """What stands for a character on the line that is shown."""
    return _TAB if character == "\t" else printable(character)


def _width(cells: Iterable[str]) -> int:
    """How many columns of a terminal the cells take."""
    return sum(_character_width(character) for cell in cells for character in cell)


def _character_width(character: str) -> int:
    if combining(character) or "\ufe00" <= character <= "\ufe0f":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _paint(text: str, role: str, colour: bool) -> str:
    return f"\x1b[{_COLOURS[role]}m{text}\x1b[0m" if colour else text


def _where(problem: Problem) -> str:
    file = printable(problem.file or "")
    return f"{file}:{problem.span.line}:{problem.span.column}" if problem.span else file


def _concise_line(problem: Problem) -> str:
    where = f"{_where(problem)}: " if problem.file is not None else ""
    help = f" ({printable(problem.help)})" if problem.help else ""
    return f"{where}{problem.level}[{problem.code}]: {printable(problem.message)}{help}"


def _workflow_command(problem: Problem) -> str:
    properties: dict[str, object] = {}
    if problem.file is not None:
        properties["file"] = problem.file
    if problem.file is not None and (span := problem.span):
        properties |= {"line": span.line, "col": span.column}
        properties |= {"endLine": span.end_line, "endColumn": span.end_column}
        if span.line != span.end_line:  # the runner refuses columns of several lines
            del properties["col"], properties["endColumn"]
    properties["title"] = problem.code
    listed = ",".join(f"{name}={_escape_property(str(value))}" for name, value in properties.items())
    help = f" ({problem.help})" if problem.help else ""
    return f"::{problem.level} {listed}::{_escape_data(problem.message + help)}"


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
