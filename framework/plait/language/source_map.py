"""Where each key and value of a spec stands in its text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plait.language.text import FILE_START, split_lines
from plait.problems.problem import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

KeyPath = tuple[str | int, ...]  # keys and positions in lists, from the top of the file


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
        return split_lines(self.text)

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
