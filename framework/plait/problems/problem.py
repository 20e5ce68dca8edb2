"""A problem as a value: what is wrong, where, and the one thing to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

Level = Literal["error", "warning"]


class Span(Struct, frozen=True, order=True):
    """A stretch of a text file; lines and columns count from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Problem(Struct, frozen=True, kw_only=True):
    """One problem. Its `code` is a phrase such as `unknown-key`; `render` shows it.

    `cell` is the source and column of a record's fault, so that problems of one kind are known.
    """

    code: str
    message: str
    file: str | None = None
    span: Span | None = None
    help: str | None = None
    note: str | None = None
    level: Level = "error"
    cell: str | None = None


def by_place(problem: Problem) -> tuple[str, int, int, str]:
    """The sort key that puts problems in the order a reader meets them: by file, line, column and code."""
    span = problem.span or Span(0, 0, 0, 0)
    return problem.file or "", span.line, span.column, problem.code


def printable(text: str) -> str:
    """The text with escapes in place of what would move the cursor, change colours or break the line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


MAX_EXCERPT = 40


def excerpt(value: object) -> str:
    """At most 40 characters of a value, in back-ticks, on one line, as messages show it.

    >>> excerpt("memroy")
    '`memroy`'
    """
    text = value if isinstance(value, str) else repr(value)
    text = printable(text[: MAX_EXCERPT + 1])
    return f"`{text}`" if len(text) <= MAX_EXCERPT else f"`{text[: MAX_EXCERPT - 1]}…`"


def as_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """The problems as mappings of texts, numbers and None, for reports and logs."""
    return [_as_mapping(problem) for problem in problems]


def _as_mapping(problem: Problem) -> dict[str, Any]:
    span = problem.span
    return {
        "code": problem.code,
        "level": problem.level,
        "message": problem.message,
        "file": problem.file,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "help": problem.help,
        "note": problem.note,
    }
