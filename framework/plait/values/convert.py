"""Convert one value to its declared type exactly, or say why it does not fit."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from plait.problems.problem import excerpt
from plait.values.types import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait.values.types import Type

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,30}))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?\Z",
    re.ASCII,
)
EXACT = Context(prec=60)
MAX_EXPONENT = 400
EARLIEST = datetime.min.replace(tzinfo=UTC)


class Flag(int):
    """0 or 1 of a source that has no booleans: it converts to `boolean` as well as to the types of numbers."""


class ConversionError(ValueError):
    """A value does not fit its type or decode step; `help` says what to do, `bare` is the message without the value."""

    def __init__(self, message: str, help: str | None = None, bare: str | None = None) -> None:
        super().__init__(message)
        self.help = help
        self.bare = bare or message


def convert(value: Any, kind: Type) -> Any:
    """Convert a raw value to a type without changing what it means; None stays None. Raises ConversionError."""
    if value is None:
        return None
    return CONVERTERS[kind.word](value, kind)


def _wrong_kind(value: Any, kind: Type, help: str | None = None) -> ConversionError:
    """The error for a value that is not of its type; it names the value's kind as YAML does."""
    return conversion_error(f"expected {kind}, got {{}}", value, help)


def conversion_error(sentence: str, value: Any, help: str | None = None) -> ConversionError:
    """The error whose message is the sentence with the value in place of `{}`; its `bare` has the value's kind alone."""
    message, bare = (sentence.replace("{}", _describe(value, shown=shown)) for shown in (True, False))
    return ConversionError(message, help, bare)


def _describe(value: Any, *, shown: bool) -> str:
    """The words by which a message names a value: its kind and, if it is shown, at most 40 characters of it."""
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true/false"),
        ((int, float, Decimal), "the number"),
        (str, "the text"),
        (bytes, "binary"),
        (dict, "a mapping"),
        ((list, tuple, set), "a list"),
        (datetime, "the time"),
    )
    word = next((word for types, word in words if isinstance(value, types)), f"the {type(value).__name__}")
    if not shown:
        return word.replace("the ", "a ")
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    scalar = isinstance(value, (str, int, float, Decimal, date))
    return f"{word} {excerpt(value if isinstance(value, str) else str(value))}" if scalar else word


def exact_number(value: Any, kind: Type) -> Decimal:
    """A number, or a text that is one from beginning to end, as an exact decimal; raises ConversionError."""
    if isinstance(value, bool):
        raise _wrong_kind(value, kind)
    if isinstance(value, str):
        if not NUMBER.match(value) or len(value) > MAX_EXPONENT:
            raise _wrong_kind(value, kind)
        try:
            value = Decimal(value)
        except InvalidOperation:  # an exponent of twenty digits
            raise _wrong_kind(value, kind) from None
    if isinstance(value, int):
        if value.bit_length() >= 2 * MAX_EXPONENT:
            raise ConversionError(f"expected {kind}, got a number of hundreds of digits")
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if not isinstance(value, Decimal) or not value.is_finite() or (value and value.adjusted() > MAX_EXPONENT):
        raise _wrong_kind(value, kind)
    return value if value or abs(value.adjusted()) <= MAX_EXPONENT else Decimal(0).copy_sign(value)


def _integer(value: Any, kind: Type) -> int:
    integer = value
    if type(value) is not int:
        exact = exact_number(value, kind)
        if exact != exact.to_integral_value(context=EXACT):
            raise _wrong_kind(value, kind, "declare `decimal(p,s)` or `double` to keep the fraction")
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
        raise _wrong_kind(value, kind)
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
        raise _wrong_kind(value, kind, "declare `boolean`, or decode the field by `text`")
    if isinstance(value, (int, float, Decimal)):
        raise _wrong_kind(
            value, kind, "declare the number's type, such as `bigint`, or decode the field by `text`"
        )
    if isinstance(value, date):
        raise _wrong_kind(
            value, kind, "declare `timestamp`" if isinstance(value, datetime) else "declare `date`"
        )
    help = "decode the field by `text` to keep it as JSON" if isinstance(value, (dict, list)) else None
    raise _wrong_kind(value, kind, help)


def _boolean(value: Any, kind: Type) -> bool:
    if isinstance(value, (bool, Flag)):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise _wrong_kind(value, kind)


def _date(value: Any, kind: Type) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and DATE.match(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _wrong_kind(value, kind) from None
    raise _wrong_kind(value, kind)


def _timestamp(value: Any, kind: Type) -> datetime:
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, (str, date)):
        return parse_timestamp(str(value), kind)
    help = "decode the field by `{epoch: s}`, `ms` or `us`" if isinstance(value, (int, Decimal)) else None
    raise _wrong_kind(value, kind, help)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise conversion_error("{} is in UTC no time of the years 1 to 9999", moment) from None


def parse_timestamp(text: str, kind: Type) -> datetime:
    """The time, UTC, of a text by ISO 8601; digits beyond the microsecond are cut, and no zone means UTC.

    Raises ConversionError, which names the type.
    """
    if DATE.match(text):
        text += "T00:00"
    match = TIMESTAMP.match(text)
    if not match:
        raise _wrong_kind(text, kind)
    day, minute, second, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:] or '00'}"
    try:
        parsed = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}.{(fraction or '0')[:6]:0<6}{zone}")
    except ValueError:
        raise _wrong_kind(text, kind) from None
    return _utc(parsed)


def _binary(value: Any, kind: Type) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise _wrong_kind(value, kind, "decode text by `base64` first")


def _array(value: Any, kind: Type) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise _wrong_kind(value, kind)
    return [convert(element, kind.fields[0][1]) for element in value]


def _struct(value: Any, kind: Type) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_kind(value, kind)
    return {name: convert(value.get(name), part) for name, part in kind.fields}


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
    "struct": _struct,
}
