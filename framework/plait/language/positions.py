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
    """A value as plain mappings, lists and scalars, with the spans of its keys and values.

    `told` are the places of the problems found while reading, `lost` the keys that stand where it did not look,
    `dark` the values whose tag would have made them something else, `mixed` the mappings that look like two.
    """

    file: str
    text: str
    value: Any
    keys: Mapping[KeyPath, Span]
    values: Mapping[KeyPath, Span]
    told: frozenset[Span] = frozenset()
    lost: frozenset[str] = frozenset()
    dark: tuple[Span, ...] = ()
    mixed: frozenset[KeyPath] = frozenset()

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return BREAK.split(self.text)

    def key(self, path: KeyPath) -> Span:
        """Where the key of `path` stands, else that of its nearest ancestor."""
        for length in range(len(path), 0, -1):
            if span := self.keys.get(path[:length]):
                return span
        return START

    def at(self, path: KeyPath) -> Span:
        """Where the value of `path` stands, else the nearest key."""
        return self.values.get(path) or self.key(path)

    def is_empty(self, path: KeyPath) -> bool:
        """Whether a key has nothing after it, not even the word `null`."""
        return path not in self.values

    def part(self, span: Span, text: str) -> Span:
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
