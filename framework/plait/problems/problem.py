"""A problem as a value: what is wrong, where, and the one thing to do about it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Level = Literal["error", "warning"]


class Span(Struct, frozen=True, order=True):
    """A stretch of a text file; lines and columns count from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Problem(Struct, frozen=True, kw_only=True):
    """One problem. Its `code` is a phrase such as `unknown-key`; `render` shows it."""

    code: str
    message: str
    file: str | None = None
    span: Span | None = None
    help: str | None = None
    note: str | None = None
    level: Level = "error"


def by_place(problem: Problem) -> tuple[str, Span, str]:
    """The sort key that puts problems in the order a reader meets them."""
    return (problem.file or "", problem.span or Span(0, 0, 0, 0), problem.code)


MAX_EXCERPT = 40


def excerpt(value: object) -> str:
    """At most 40 characters of a value, in back-ticks, on one line, as messages show it.

    >>> excerpt("memroy")
    '`memroy`'
    """
    text = value if isinstance(value, str) else repr(value)
    beginning = text[: MAX_EXCERPT + 1]
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in beginning)
    return f"`{text}`" if len(text) <= MAX_EXCERPT else f"`{text[: MAX_EXCERPT - 1]}…`"
