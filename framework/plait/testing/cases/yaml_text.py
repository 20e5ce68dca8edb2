"""Places in a file's text: what stands at a span, and values as YAML that reads back as they are."""

from __future__ import annotations

import base64
import json
import re
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plait.language.scalars import scalar
from plait.values.convert import NUMBER

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath, SourceMap
    from plait.problems.problem import Span

BREAK = re.compile(r"\r\n|\r|\n")
PLAIN = re.compile(r"[A-Za-z_](?:[\w./@+-]|[ ](?=[\w./@+-]))*\Z|\d{4}-\d\d-\d\d\Z", re.ASCII)


class Places:
    """Offsets in a text that was read as YAML."""

    def __init__(self, source_map: SourceMap) -> None:
        self.source_map = source_map

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in BREAK.finditer(self.source_map.text))]

    def range(self, span: Span) -> tuple[int, int]:
        """Where a span begins and ends, counted in characters."""
        starts = self._starts
        return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1

    def written(self, path: KeyPath) -> str:
        """The text of a value, empty where nothing stands there."""
        span = self.source_map.value_spans.get(path)
        begin, end = self.range(span) if span else (0, 0)
        return self.source_map.text[begin:end]

    def exact(self, value: Any, path: KeyPath) -> Any:
        """A value of the file with its fractions as decimals, digit by digit as they are written."""
        if isinstance(value, dict):
            return {name: self.exact(one, (*path, name)) for name, one in value.items()}
        if isinstance(value, list):
            return [self.exact(one, (*path, n)) for n, one in enumerate(value)]
        if isinstance(value, float) and NUMBER.match(text := self.written(path)):
            return Decimal(text)
        return value


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(name)}: {flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, (bool, int, float, Decimal, type(None))):
        return _simple(value)
    return _text(_as_text(value))


def _simple(value: bool | float | Decimal | None) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else str(value)


def _text(text: str) -> str:
    if PLAIN.match(text) and isinstance(scalar(text), str):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
