"""The text of a YAML file by place, and values as YAML that is read back as the same values."""

from __future__ import annotations

import base64
import json
import re
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plait.language.text import scalar
from plait.values.convert import NUMBER

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath, SourceMap
    from plait.problems.problem import Span

LINE_BREAK = re.compile(r"\r\n|\r|\n")
PLAIN_SCALAR = re.compile(r"[A-Za-z_](?:[\w./@+-]|[ ](?=[\w./@+-]))*\Z|\d{4}-\d\d-\d\d\Z", re.ASCII)


class YamlText:
    """The text of a file that was read as YAML, by the places of its values."""

    def __init__(self, source_map: SourceMap) -> None:
        self.source_map = source_map

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in LINE_BREAK.finditer(self.source_map.text))]

    def offsets(self, span: Span) -> tuple[int, int]:
        """Where a span begins and ends, in characters from the start of the text."""
        starts = self._line_starts
        return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1

    def text_at(self, path: KeyPath) -> str:
        """The text of the value at a path, empty if there is none."""
        span = self.source_map.value_spans.get(path)
        begin, end = self.offsets(span) if span else (0, 0)
        return self.source_map.text[begin:end]

    def with_decimals(self, value: Any, path: KeyPath) -> Any:
        """The value at a path with its fractions as decimals that have the digits of the text."""
        if isinstance(value, dict):
            return {name: self.with_decimals(member, (*path, name)) for name, member in value.items()}
        if isinstance(value, list):
            return [self.with_decimals(element, (*path, n)) for n, element in enumerate(value)]
        if isinstance(value, float) and NUMBER.match(text := self.text_at(path)):
            return Decimal(text)
        return value


def flow_yaml(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{_text_scalar(name)}: {flow_yaml(member)}" for name, member in value.items())
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow_yaml, value)) + "]"
    if isinstance(value, (bool, int, float, Decimal, type(None))):
        return _plain_scalar(value)
    return _text_scalar(_text_of(value))


def _plain_scalar(value: bool | float | Decimal | None) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _text_of(value: Any) -> str:
    """The text for a value of a type that YAML does not have: bytes as base64, times in ISO 8601."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else str(value)


def _text_scalar(text: str) -> str:
    """A text as a scalar, in quotes unless it reads back as it is."""
    if PLAIN_SCALAR.match(text) and isinstance(scalar(text), str):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(
        character if character.isprintable() else f"\\U{ord(character):08x}" for character in quoted
    )
