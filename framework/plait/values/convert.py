"""Convert one value to its declared type exactly, or say why it does not fit."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from plait.problems.problem import excerpt
from plait.values.conversion_error import ConversionError, conversion_error, wrong_kind
from plait.values.iso_times import DATE, EPOCH_HELP, SPELLING_HELP, parse_timestamp, utc
from plait.values.types import INTEGERS, spell_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait.values.types import Type

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z", re.ASCII)
EXACT = Context(prec=60)
MAX_EXPONENT = 400
EARLIEST = datetime.min.replace(tzinfo=UTC)


class Flag(int):
    """0 or 1 of a source that has no booleans: it converts to `boolean` as well as to the types of numbers."""


def convert(value: Any, kind: Type) -> Any:
    """Convert a raw value to a type without changing what it means; None stays None. Raises ConversionError."""
    if value is None:
        return None
    return CONVERTERS[kind.word](value, kind)


def exact_number(value: Any, kind: Type) -> Decimal:
    """A number, or a text that is one from beginning to end, as an exact decimal; raises ConversionError."""
    if isinstance(value, bool):
        raise wrong_kind(value, kind)
    if isinstance(value, str):
        if not NUMBER.match(value) or len(value) > MAX_EXPONENT:
            raise wrong_kind(value, kind)
        try:
            value = Decimal(value)
        except InvalidOperation:  # an exponent of twenty digits
            raise wrong_kind(value, kind) from None
    if isinstance(value, int):
        if value.bit_length() >= 2 * MAX_EXPONENT:
            raise ConversionError(f"expected {kind}, got a number of hundreds of digits")
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if not isinstance(value, Decimal) or not value.is_finite() or (value and value.adjusted() > MAX_EXPONENT):
        raise wrong_kind(value, kind)
    return value if value or abs(value.adjusted()) <= MAX_EXPONENT else Decimal(0).copy_sign(value)


def _integer(value: Any, kind: Type) -> int:
    integer = value
    if type(value) is not int:
        exact = exact_number(value, kind)
        if exact != exact.to_integral_value(context=EXACT):
            raise wrong_kind(value, kind, "declare `decimal(p,s)` or `double` to keep the fraction")
        integer = int(exact)
    limit = 1 << (INTEGERS[kind.word] - 1)
    if not -limit <= integer < limit:
        shown = excerpt(str(integer)) if integer.bit_length() < 2 * MAX_EXPONENT else "the number"
        reason = f"is out of the range of {kind}"
        raise ConversionError(f"{shown} {reason}", "declare a wider type", f"a number {reason}")
    return int(integer)


def _decimal(value: Any, kind: Type) -> Decimal:
    exact = exact_number(value, kind)
    try:
        scaled = exact.quantize(Decimal(1).scaleb(-kind.scale), context=EXACT)
    except InvalidOperation:
        scaled = Decimal("NaN")
    if scaled != exact or (scaled.adjusted() >= kind.precision - kind.scale and scaled):
        raise conversion_error(f"{{}} does not fit {kind}", value, "declare a decimal with enough digits")
    return scaled


def _double(value: Any, kind: Type) -> float:
    nearest = float(exact_number(value, kind))
    if not math.isfinite(nearest):
        raise wrong_kind(value, kind)
    return nearest


def _float(value: Any, kind: Type) -> float:
    nearest = _double(value, kind)
    if abs(nearest) > 3.4028235677973366e38:
        raise conversion_error("{} is out of the range of float", value, "declare `double`")
    return nearest


def _string(value: Any, kind: Type) -> str:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise ConversionError("text with a lone surrogate, which no file can hold")
        return value
    if isinstance(value, bool):
        raise wrong_kind(value, kind, "declare `boolean`, or decode the field by `text`")
    if isinstance(value, (int, float, Decimal)):
        raise wrong_kind(
            value, kind, "declare the number's type, such as `bigint`, or decode the field by `text`"
        )
    if isinstance(value, date):
        raise wrong_kind(
            value, kind, "declare `timestamp`" if isinstance(value, datetime) else "declare `date`"
        )
    help = "decode the field by `text` to keep it as JSON" if isinstance(value, (dict, list)) else None
    raise wrong_kind(value, kind, help)


def _boolean(value: Any, kind: Type) -> bool:
    if isinstance(value, (bool, Flag)):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise wrong_kind(value, kind)


def _date(value: Any, kind: Type) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and DATE.match(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise wrong_kind(value, kind) from None
    raise wrong_kind(value, kind, SPELLING_HELP if value and isinstance(value, str) else None)


def _timestamp(value: Any, kind: Type) -> datetime:
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, (str, date)):
        return parse_timestamp(str(value), kind)
    is_count = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    raise wrong_kind(value, kind, EPOCH_HELP if is_count else None)


def _binary(value: Any, kind: Type) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise wrong_kind(value, kind, "decode text by `base64` first")


def _array(value: Any, kind: Type) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise wrong_kind(value, kind)
    element, converted = kind.fields[0][1], []
    try:
        for part in value:
            converted.append(convert(part, element))  # noqa: PERF401 - an error is at the number of those before it
    except ConversionError as error:
        error.stands_at(f"[{len(converted)}]")
        raise
    return converted


def _map(value: Any, kind: Type) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong_kind(value, kind)
    (_, key_kind), (_, part_kind) = kind.fields
    converted, key = {}, ""
    try:
        for key, part in value.items():
            converted[convert(key, key_kind)] = convert(part, part_kind)
    except ConversionError as error:
        error.stands_at(f"['{excerpt(key)[1:-1]}']", "[…]")
        raise
    return converted


def _struct(value: Any, kind: Type) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong_kind(value, kind)
    converted, origin, origins = {}, "", kind.origins
    try:
        for number, (name, part) in enumerate(kind.fields):
            origin = origins[number] if origins else name
            converted[name] = convert(value.get(origin), part)
    except ConversionError as error:
        error.stands_at(f".{spell_name(origin)}")
        raise
    return converted


CONVERTERS: dict[str, Callable[[Any, Type], Any]] = {
    "string": _string,
    "boolean": _boolean,
    **dict.fromkeys(INTEGERS, _integer),
    "decimal": _decimal,
    "float": _float,
    "double": _double,
    "date": _date,
    "timestamp": _timestamp,
    "binary": _binary,
    "array": _array,
    "map": _map,
    "struct": _struct,
}
