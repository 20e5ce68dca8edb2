"""Where each key and value of a spec stands in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plait.problems.problem import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KeyPath = tuple[str | int, ...]

START = Span(1, 1, 1, 1)
BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class SourceMap:
    """A YAML document as plain mappings, lists and scalars, with the span of each key and value.

    `problem_spans` are the places of the problems found while reading. `skipped_keys` are keys whose values were
    not read, such as repeated ones. `tagged_spans` are the mappings and lists with a YAML tag. `merged_mappings` are
    the paths of mappings that look like two blocks run together.
    """

    file: str
    text: str
    value: Any
    key_spans: Mapping[KeyPath, Span]
    value_spans: Mapping[KeyPath, Span]
    problem_spans: frozenset[Span] = frozenset()
    skipped_keys: frozenset[str] = frozenset()
    tagged_spans: tuple[Span, ...] = ()
    merged_mappings: frozenset[KeyPath] = frozenset()

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return BREAK.split(self.text)

    def key_span(self, path: KeyPath) -> Span:
        """Where the key of `path` stands, else that of its nearest ancestor."""
        for length in range(len(path), 0, -1):
            if span := self.key_spans.get(path[:length]):
                return span
        return START

    def value_span(self, path: KeyPath) -> Span:
        """Where the value of `path` stands, else the nearest key."""
        return self.value_spans.get(path) or self.key_span(path)

    def is_empty(self, path: KeyPath) -> bool:
        """Whether a key has nothing after it, not even the word `null`."""
        return path not in self.value_spans

    def part_span(self, span: Span, text: str) -> Span:
        """Where a piece of a value's text stands, else the whole value."""
        for number in range(span.line, span.end_line + 1):
            line = self.lines[number - 1]
            start = span.column - 1 if number == span.line else 0
            end = span.end_column - 1 if number == span.end_line else len(line)
            if (found := line.find(text, start, end)) >= 0:
                return Span(number, found + 1, number, found + 1 + len(text))
        return span


def without_text(value: dict[str, Any], file: str) -> SourceMap:
    """Values that were read before: everything stands at the file's beginning."""
    return SourceMap(file, "", value, {}, dict.fromkeys(_paths(value, ()), START))


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    yield path
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _paths(one, (*path, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _paths(one, (*path, number))
