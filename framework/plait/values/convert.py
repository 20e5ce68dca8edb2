"""One value meets one declared type: the value as Python has it, or a sentence why not."""

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
    """0 or 1 of a source that has no booleans: it meets `boolean` as well as the types of numbers."""


class ConversionError(ValueError):
    """A value that does not meet its type; `help` says what would, `bare` is the message without the value."""

    def __init__(self, message: str, help: str | None = None, bare: str | None = None) -> None:
        super().__init__(message)
        self.help = help
        self.bare = bare or message


def convert(value: Any, kind: Type) -> Any:
    """Cast a raw value to a type without changing it; None stays None; raises ConversionError."""
    if value is None:
        return None
    return CONVERTERS[kind.word](value, kind)


def misfit(value: Any, kind: Type, help: str | None = None) -> ConversionError:
    """The sentence for a value of the wrong kind, in YAML's words."""
    return saying(f"expected {kind}, got {{}}", value, help)


def saying(sentence: str, value: Any, help: str | None = None) -> ConversionError:
    """The sentence with the value in the place of `{}`, and with no more than its kind."""
    return ConversionError(
        sentence.replace("{}", describe(value)), help, sentence.replace("{}", describe(value, shown=False))
    )


def describe(value: Any, *, shown: bool = True) -> str:
    """A value and its kind, as a message says it: never more than 40 characters of it, or the kind alone."""
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true/false"),
        ((int, float, Decimal), "the number"),
        (str, "the text"),
        (bytes, "binary"),
        (dict, "a mapping"),
        ((list, tuple, set), "a list"),
        (datetime, "the time"),
    )
    word = next((w for t, w in words if isinstance(value, t)), f"the {type(value).__name__}")
    if not shown:
        return word.replace("the ", "a ")
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    scalar = isinstance(value, (str, int, float, Decimal, date))
    return f"{word} {excerpt(value if isinstance(value, str) else str(value))}" if scalar else word


def number(value: Any, kind: Type) -> Decimal:
    """Any number, or the full text of one, exactly."""
    if isinstance(value, bool):
        raise misfit(value, kind)
    if isinstance(value, str):
        if not NUMBER.match(value) or len(value) > MAX_EXPONENT:
            raise misfit(value, kind)
        value = Decimal(value)
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() < 2 * MAX_EXPONENT else _refuse(value, kind)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        raise misfit(value, kind)
    return value


def _refuse(_value: Any, kind: Type) -> Decimal:
    raise ConversionError(f"expected {kind}, got a number of hundreds of digits")


def _integer(value: Any, kind: Type) -> int:
    whole = value
    if type(value) is not int:
        exact = number(value, kind)
        if exact != exact.to_integral_value(context=EXACT):
            raise misfit(value, kind, "declare `decimal(p,s)` or `double` to keep the fraction")
        whole = int(exact)
    limit = 1 << (INTEGERS[kind.word] - 1)
    if not -limit <= whole < limit:
        shown = excerpt(str(whole)) if whole.bit_length() < 2 * MAX_EXPONENT else "the number"
        told = f"is out of the range of {kind}"
        raise ConversionError(f"{shown} {told}", "declare a wider type", f"a number {told}")
    return int(whole)


def _decimal(value: Any, kind: Type) -> Decimal:
    exact = number(value, kind)
    try:
        scaled = exact.quantize(Decimal(1).scaleb(-kind.scale), context=EXACT)
    except InvalidOperation:
        scaled = Decimal("NaN")
    if scaled != exact or (scaled.adjusted() >= kind.precision - kind.scale and scaled):
        raise saying(f"{{}} does not fit {kind}", value, "declare a decimal with enough digits")
    return scaled


def _double(value: Any, kind: Type) -> float:
    nearest = float(number(value, kind))
    if not math.isfinite(nearest):
        raise misfit(value, kind)
    return nearest


def _float(value: Any, kind: Type) -> float:
    nearest = _double(value, kind)
    if abs(nearest) > 3.4028235677973366e38:
        raise saying("{} is out of the range of float", value, "declare `double`")
    return nearest


def _string(value: Any, kind: Type) -> str:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise ConversionError("text with a lone surrogate, which no file can hold")
        return value
    if isinstance(value, bool):
        raise misfit(value, kind, "declare `boolean`")
    if isinstance(value, (int, float, Decimal)):
        raise misfit(value, kind, "declare the number's type, such as `bigint`")
    if isinstance(value, date):
        raise misfit(value, kind, "declare `timestamp`" if isinstance(value, datetime) else "declare `date`")
    raise misfit(value, kind)


def _boolean(value: Any, kind: Type) -> bool:
    if isinstance(value, (bool, Flag)):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise misfit(value, kind)


def _date(value: Any, kind: Type) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and DATE.match(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise misfit(value, kind) from None
    raise misfit(value, kind)


def _timestamp(value: Any, kind: Type) -> datetime:
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, (str, date)):
        return timestamp(str(value), kind)
    help = "decode the field by `{epoch: s}`, `ms` or `us`" if isinstance(value, (int, Decimal)) else None
    raise misfit(value, kind, help)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise saying("{} is in UTC no time of the years 1 to 9999", moment) from None


def timestamp(text: str, kind: Type) -> datetime:
    """ISO 8601 to UTC; digits beyond the microsecond are cut, no zone means UTC."""
    if DATE.match(text):
        text += "T00:00"
    found = TIMESTAMP.match(text)
    if not found:
        raise misfit(text, kind)
    day, minute, second, fraction, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:] or '00'}"
    try:
        parsed = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}.{(fraction or '0')[:6]:0<6}{zone}")
    except ValueError:
        raise misfit(text, kind) from None
    return _utc(parsed)


def _binary(value: Any, kind: Type) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise misfit(value, kind, "decode text by `base64` first")


def _array(value: Any, kind: Type) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise misfit(value, kind)
    return [convert(one, kind.fields[0][1]) for one in value]


def _struct(value: Any, kind: Type) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise misfit(value, kind)
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
