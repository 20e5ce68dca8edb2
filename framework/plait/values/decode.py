"""Decode raw values by the steps of a spec, before they are converted to their types."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from plait.values.convert import ConversionError, conversion_error, exact_number
from plait.values.strict_json import NotJson, parse_json
from plait.values.types import Type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = {"s": 1_000_000, "ms": 1000, "us": 1}
# Limits in bytes of what gzip inflates to, against bombs: in all, for each byte of it, and up to which any ratio is fine.
MAX_INFLATED = 64 * 1024 * 1024
MAX_RATIO = 200
MAX_AT_ANY_RATIO = 64 * 1024


class Step(Struct, frozen=True):
    """One decode step: its word, and its argument (the unit of `epoch`, a `Pattern` or an `Expression`)."""

    word: str
    argument: Any = None


def decode(fields: Mapping[str, Any], steps: Mapping[str, tuple[Step, ...]]) -> Mapping[str, Any]:
    """Decode the fields that have steps; null stays null, and a missing field stays missing. Raises ConversionError."""
    if not steps:
        return fields
    decoded = dict(fields)
    for name, chain in steps.items():
        value = decoded.get(name)
        for step in chain:
            try:
                value = None if value is None else STEPS[step.word].apply(value, step.argument)
            except ConversionError as error:
                where = f"`{name}` cannot be decoded by `{step.word}`"
                raise ConversionError(f"{where}: {error}", error.help, f"{where}: {error.bare}") from error
        if name in decoded:
            decoded[name] = value
    return decoded


def _base64(value: Any, _argument: None) -> bytes:
    if not isinstance(value, (str, bytes)):
        raise conversion_error("expected text, got {}", value)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ConversionError("it is not base64") from None


def _gunzip(value: Any, _argument: None) -> bytes:
    if not isinstance(value, bytes):
        raise conversion_error("expected binary, got {}", value, "decode text by `base64` first")
    limit = min(MAX_INFLATED, max(MAX_AT_ANY_RATIO, MAX_RATIO * len(value)))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(value)) as stream:
            data = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise ConversionError("it is not complete gzip") from None
    if len(data) > limit:
        raise ConversionError(
            f"it inflates to more than {'64 MiB' if limit == MAX_INFLATED else f'{MAX_RATIO} times its size'}"
        )
    if not value:
        raise ConversionError("it is not complete gzip")
    return data


def _json(value: Any, _argument: None) -> Any:
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    if not isinstance(data, bytes):
        raise conversion_error("expected text, got {}", value)
    try:
        return parse_json(data)
    except NotJson as error:
        raise ConversionError(str(error)) from None


def _epoch(value: Any, unit: str) -> datetime:
    exact = exact_number(value, Type("timestamp"))
    try:
        return EPOCH + timedelta(microseconds=int(exact * MICROSECONDS[unit] // 1))
    except OverflowError:
        raise conversion_error("{} is no time of the years 1 to 9999", value) from None


def _match_fields(value: Any, expression: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        raise conversion_error("expected text, got {}", value)
    fields: dict[str, Any] | None = expression.match(value)
    if fields is None:
        raise conversion_error("{} does not match", value)
    return fields


# What a value of a record, or of a decode step, can be.
ANY, PLAIN, BINARY, TIME, FIELDS = "anything", "plain", "binary", "a timestamp", "fields"


class StepKind(NamedTuple):
    """What a decode step does with a value and its argument; what it takes, in words and as what a value can be; what it gives."""

    apply: Callable[[Any, Any], Any]
    takes: str
    accepts: tuple[str, ...]
    gives: str


STEPS = {
    "base64": StepKind(_base64, "text", (ANY, PLAIN, BINARY), BINARY),
    "json": StepKind(_json, "text", (ANY, PLAIN, BINARY), PLAIN),
    "gzip": StepKind(_gunzip, "binary", (ANY, BINARY), BINARY),
    "epoch": StepKind(_epoch, "a number", (ANY, PLAIN), TIME),
    "pattern": StepKind(_match_fields, "text", (ANY, PLAIN), FIELDS),
    "regex": StepKind(_match_fields, "text", (ANY, PLAIN), FIELDS),
}
