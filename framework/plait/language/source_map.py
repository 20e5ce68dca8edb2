"""Where each key and value of a spec stands in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plait.problems.problem import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

KeyPath = tuple[str | int, ...]  # keys and positions in lists, from the top of the file
Point = tuple[int, int]  # line and column, both from 1
FILE_START = Span(1, 1, 1, 1)
LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Lines:
    """The lines of a text by number, from 1."""

    def __init__(self, text: str) -> None:
        self.lines = LINE_BREAK.split(text)

    def line(self, number: int) -> str:
        """The text of a line; empty where the text has no such line."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def character(self, point: Point) -> str:
        """The character at a point; empty at the end of a line."""
        return self.line(point[0])[point[1] - 1 : point[1]]

    def span(self, start: Point, end: Point) -> Span:
        """The span between two points, moved into the text where one lies behind its end."""
        line, end_line = min(start[0], len(self.lines)), min(end[0], len(self.lines))
        column = min(start[1], len(self.line(line)) + 1)
        return Span(line, column, end_line, min(end[1], len(self.line(end_line)) + 1))


@dataclass(frozen=True)
class SourceMap:
    """A YAML document as plain mappings, lists and scalars, with the span of each key and value."""

    file: str
    text: str
    value: Any
    key_spans: Mapping[KeyPath, Span]
    value_spans: Mapping[KeyPath, Span]

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return LINE_BREAK.split(self.text)

    @property
    def first_key(self) -> Span:
        """Where the first key stands, for what is true of the whole document."""
        return next(iter(self.key_spans.values()), FILE_START)

    def key_span(self, path: KeyPath) -> Span:
        """Where the key of `path` stands, else that of its nearest ancestor."""
        for length in range(len(path), 0, -1):
            if span := self.key_spans.get(path[:length]):
                return span
        return FILE_START

    def value_span(self, path: KeyPath) -> Span:
        """Where the value of `path` stands, else the nearest key."""
        return self.value_spans.get(path) or self.key_span(path)

    def is_empty(self, path: KeyPath) -> bool:
        """Whether a key has nothing after it, not even the word `null`."""
        return path not in self.value_spans

    def part_span(self, span: Span, part: str) -> Span:
        """Where a part of a value's text stands; the span of the value if it is not found there."""
        for number in range(span.line, span.end_line + 1):
            line = self.lines[number - 1]
            start = span.column - 1 if number == span.line else 0
            end = span.end_column - 1 if number == span.end_line else len(line)
            if (position := line.find(part, start, end)) >= 0:
                return Span(number, position + 1, number, position + 1 + len(part))
        return span
