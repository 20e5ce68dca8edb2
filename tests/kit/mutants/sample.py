"""A case for any spec: one record of each source that meets its columns, its decode steps and its join."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from plait.language.forms import OBJECT_FACTS
from plait.language.spec import Source, Spec
from plait.plugin import DriverPath, Item, Record
from plait.testing.cases.case import Case, CaseObject, SourceInputs
from plait.values.decode import EPOCH, MICROSECONDS, Step
from plait.values.patterns import Hole
from plait.values.places import pick, put
from plait.values.types import Type

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    **dict.fromkeys(("string", "binary"), "a1"),
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint", "float", "double", "decimal"), 1),
    "boolean": True,
    "date": "2026-07-01",
    "timestamp": "2026-07-01T11:59:00Z",
}
WRAPPED: dict[str, Callable[[bytes], bytes]] = {"base64": base64.b64encode, "gzip": gzip.compress}


def case_of(spec: Spec) -> Case:
    """A case in which the driver has one object, and each look-up one record for it."""
    types = {c.name: c.type for source in (spec.driver, *spec.lookups) for c in source.columns or ()}
    inputs = {source.name: SourceInputs(records=(_record(source, types),)) for source in spec.lookups}
    inputs[spec.driver.name] = SourceInputs(objects=(_object(spec.driver, types),))
    return Case(name="a sample", path=(), rows_path=(), spec=spec, now=NOW, inputs=inputs, expected={})


def _object(driver: Source, types: dict[str, Type]) -> CaseObject:
    path = getattr(driver.options, "path", None)
    if not isinstance(path, DriverPath):
        return CaseObject(Item(uri="sample", modified=NOW, etag="e"), _record(driver, types))
    uri = "".join("x" if isinstance(part, Hole) else part for part in path.parts)
    data = json.dumps(_fields(driver, types), default=bytes.decode).encode()
    return CaseObject(Item(uri=uri, size=len(data), modified=NOW, etag="e"), data)


def _record(source: Source, types: dict[str, Type]) -> Record:
    fields = _fields(source, types)
    time = NOW if source.join and source.open_lookup().order == "time" else None
    return structs.replace(Record(fields=fields, time=time), position="line 1")


def _fields(source: Source, types: dict[str, Type]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for column in source.columns or ():
        if column.origin not in OBJECT_FACTS:
            _place(fields, column.selector, _value(column.type))
    for left, right in source.join.on if source.join else ():
        fields.setdefault(right, _value(types.get(left, Type("string"))))
    for name in source.row_columns:
        fields[name] = _value(types.get(name, Type("string")))
    for decoding in reversed(source.decode):
        if pick(fields, decoding.place.steps) is not None:
            put(fields, decoding.place.steps, _encoded(pick(fields, decoding.place.steps), decoding.steps))
    return fields


def _place(fields: dict[str, Any], selector: tuple[str | int, ...], value: Any) -> None:
    """Put a value where a selector finds it."""
    for step in reversed(selector[1:]):
        value = [None] * step + [value] if isinstance(step, int) else {step: value}
    name, old = str(selector[0]), fields.get(str(selector[0]))
    fields[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value


def _value(kind: Type) -> Any:
    if kind.word == "array":
        return [_value(kind.fields[0][1])]
    if kind.word == "struct":
        return {origin: _value(part) for _, origin, part in kind.places}
    if kind.word == "map":
        return {"a key": _value(kind.fields[1][1])}
    return VALUES[kind.word]


def _encoded(value: Any, steps: tuple[Step, ...]) -> Any:
    """The value that these steps decode; a text that must match is left to its luck."""
    for step in reversed(steps):
        if step.word == "json":
            value = json.dumps(value)
        elif step.word == "epoch":
            value = int((NOW - EPOCH).total_seconds()) * 1_000_000 // MICROSECONDS[step.argument]
        elif step.word in WRAPPED:
            value = WRAPPED[step.word](value.encode() if isinstance(value, str) else value)
    return value
