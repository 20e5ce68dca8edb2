"""Decode raw values by the steps of a spec, before they are converted to their types."""

from __future__ import annotations

import binascii
import gzip
import io
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from plait.values.conversion_error import ConversionError, conversion_error
from plait.values.convert import MAX_EXPONENT, exact_number
from plait.values.dynamodb_json import untyped
from plait.values.places import Place, pick, put
from plait.values.strict_json import NotJson, parse_json
from plait.values.types import Type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = {"s": Decimal(1_000_000), "ms": Decimal(1000), "us": Decimal(1), "ns": Decimal("0.001")}
# Limits in bytes of what gzip or zlib inflates to, against bombs: in all, for each byte of it, and up to which any ratio is fine.
MAX_INFLATED = 64 * 1024 * 1024
MAX_RATIO = 200
MAX_AT_ANY_RATIO = 64 * 1024
URL_SAFE = bytes.maketrans(b"-_", b"+/")
ZLIB_STARTS = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")


class Step(Struct, frozen=True):
    """One decode step: its word, and its argument (the unit of `epoch`, a `Pattern`, an `Expression` or a `TimeFormat`)."""

    word: str
    argument: Any = None

    @property
    def gives(self) -> str:
        """What the step gives, as one of the kinds of value."""
        return DATE if self.word == "time" and self.argument.is_date else STEPS[self.word].gives


class Decoding(Struct, frozen=True):
    """The steps by which the value at a place of a record is decoded."""

    place: Place
    steps: tuple[Step, ...]


def decode(fields: Mapping[str, Any], decodings: Sequence[Decoding]) -> Mapping[str, Any]:
    """Decode the places that have steps, in this order; null stays null, and nothing nothing. Raises ConversionError.

    What lies within the fields is copied before it is changed, since others may hold it too.
    """
    if not decodings:
        return fields
    decoded = dict(fields)
    for decoding in decodings:
        word = ""
        try:
            value = pick(decoded, decoding.place.steps)
            if value is None:
                continue
            for step in decoding.steps:
                word = step.word
                value = None if value is None else STEPS[word].apply(value, step.argument)
        except ConversionError as error:
            where = f"`{decoding.place.text}` cannot be decoded" + (f" by `{word}`" if word else "")
            fault = ConversionError(f"{where}: {error}", error.help, f"{where}: {error.bare}")
            fault.decoded = decoding.place.text
            raise fault from error
        put(decoded, decoding.place.steps, value)
    return decoded


def _base64(value: Any, _argument: None) -> bytes:
    data = _characters(value)
    if (decoded := _standard(data)) is None:
        plain = _plain(data)
        lost = "was a `+` decoded as a space?" if b" " in data and not plain else plain
        is_other = _url_safe(data) is not None
        raise ConversionError("it is not base64", "write the step `base64url`" if is_other else lost)
    return decoded


def _base64url(value: Any, _argument: None) -> bytes:
    data = _characters(value)
    decoded = _url_safe(data)
    if decoded is None:
        is_other = _standard(data) is not None
        raise ConversionError("it is not base64url", "write the step `base64`" if is_other else _plain(data))
    return decoded


def _standard(data: bytes) -> bytes | None:
    """What base64 in lines stands for; a space may stand beside a line break, if the padding tells that it was no `+`."""
    if (decoded := _canonical(data, padded=True)) is not None:
        return decoded
    has_space = b" " in data or b"\t" in data
    if b"\n" in data or b"\r" in data:
        first, *more, last = data.replace(b"\r", b"\n").split(b"\n")
        data = b"".join([first.rstrip(b" \t"), *(line.strip(b" \t") for line in more), last.lstrip(b" \t")])
    return _canonical(data, padded=has_space)


def _url_safe(data: bytes) -> bytes | None:
    return None if b"+" in data or b"/" in data else _canonical(data.translate(URL_SAFE))


def _characters(value: Any) -> bytes:
    if not isinstance(value, (str, bytes)):
        raise conversion_error("expected text, got {}", value)
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _canonical(data: bytes, *, padded: bool = False) -> bytes | None:
    """What base64 stands for if it is written as it is encoded, but for its padding unless it must be padded."""
    text = data if padded or b"=" in data else data + b"=" * (-len(data) % 4)
    try:
        decoded, end = binascii.a2b_base64(text, strict_mode=True), text[-4:]
        is_whole = not len(text) % 4 and binascii.b2a_base64(binascii.a2b_base64(end), newline=False) == end
        return decoded if is_whole else None
    except binascii.Error:
        return None


def _packed(data: bytes) -> str | None:
    """What to do about bytes that are compressed, as the first two of them tell."""
    word = "gzip" if data[:2] == b"\x1f\x8b" else "zlib" if data[:2] in ZLIB_STARTS else None
    return f"it begins as {word} does: put the step `{word}` here" if word else None


def _plain(data: bytes) -> str | None:
    """What to do about bytes that a step does not take, as they begin."""
    return (
        "it begins as JSON does: leave out this step" if data.lstrip()[:1] in (b"{", b"[") else _packed(data)
    )


def _inflate(value: Any, word: str, read: Callable[[bytes, int], bytes]) -> bytes:
    if not isinstance(value, bytes):
        raise conversion_error("expected binary, got {}", value, "decode text by `base64` first")
    limit = min(MAX_INFLATED, max(MAX_AT_ANY_RATIO, MAX_RATIO * len(value)))
    try:
        data = read(value, limit + 1) if value else None
    except (OSError, EOFError, zlib.error):
        data = None
    if data is None:
        help = _plain(value)
        raise ConversionError(f"it is not complete {word}", None if help and word in help else help)
    if len(data) > limit:
        raise ConversionError(
            f"it inflates to more than {'64 MiB' if limit == MAX_INFLATED else f'{MAX_RATIO} times its size'}"
        )
    return data


def _read_gzip(data: bytes, size: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return stream.read(size)


def _read_zlib(data: bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    inflated = stream.decompress(data, size)
    if len(inflated) < size and (not stream.eof or stream.unused_data):
        raise EOFError
    return inflated


def _json(value: Any, _argument: None) -> Any:
    data = _characters(value)
    try:
        return parse_json(data)
    except NotJson as error:
        raise ConversionError(str(error), _packed(data) or error.help) from None


def _text(value: Any, _argument: None) -> str:
    """A number by the digits that were written; how an exponent was written is not known any more."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return msgspec.json.Encoder(decimal_format="number").encode(value).decode()
    if isinstance(value, (int, float, Decimal)):
        number = value if isinstance(value, Decimal) else Decimal(repr(value))
        if number.is_finite() and number.as_tuple().exponent <= 0 and number.adjusted() >= -MAX_EXPONENT:  # type: ignore[operator]
            return format(number, "f")
        raise conversion_error("{} has an exponent, of which no text is kept", value, "declare `double`")
    raise conversion_error("expected a number, true/false, a mapping or a list, got {}", value)


def _epoch(value: Any, unit: str) -> datetime:
    exact = exact_number(value, Type("timestamp"))
    try:
        return EPOCH + timedelta(microseconds=int(exact * MICROSECONDS[unit] // 1))
    except (OverflowError, InvalidOperation):  # of more days, or of more digits, than can be counted
        raise conversion_error("{} is no time of the years 1 to 9999", value) from None


def _time(value: Any, time_format: Any) -> Any:
    if not isinstance(value, str):
        raise conversion_error("expected text, got {}", value)
    return time_format.read(value)


def _match_fields(value: Any, expression: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        raise conversion_error("expected text, got {}", value)
    fields: dict[str, Any] | None = expression.match(value)
    if fields is None:
        raise conversion_error("{} does not match", value)
    return fields


# What a value of a record, or of a decode step, can be; nothing stands within those of SCALARS.
ANY, PLAIN, TEXT, BINARY, FIELDS = "anything", "plain", "text", "binary", "fields"
TIME, DATE = "a timestamp", "a date"
SCALARS = (TEXT, BINARY, TIME, DATE)


class StepKind(NamedTuple):
    """What a decode step does with a value and its argument; what it takes, in words and as what a value can be; what it gives."""

    apply: Callable[[Any, Any], Any]
    takes: str
    accepts: tuple[str, ...]
    gives: str


STEPS = {
    "base64": StepKind(_base64, "text", (ANY, PLAIN, TEXT, BINARY), BINARY),
    "base64url": StepKind(_base64url, "text", (ANY, PLAIN, TEXT, BINARY), BINARY),
    "gzip": StepKind(lambda value, _: _inflate(value, "gzip", _read_gzip), "binary", (ANY, BINARY), BINARY),
    "zlib": StepKind(lambda value, _: _inflate(value, "zlib", _read_zlib), "binary", (ANY, BINARY), BINARY),
    "json": StepKind(_json, "text", (ANY, PLAIN, TEXT, BINARY), PLAIN),
    "text": StepKind(_text, "a number, true/false, a mapping or a list", (ANY, PLAIN, TEXT), TEXT),
    "dynamodb": StepKind(lambda value, _: untyped(value), "a mapping", (ANY, PLAIN), ANY),
    "epoch": StepKind(_epoch, "a number", (ANY, PLAIN, TEXT), TIME),
    "time": StepKind(_time, "text", (ANY, PLAIN, TEXT), TIME),
    "pattern": StepKind(_match_fields, "text", (ANY, PLAIN, TEXT), FIELDS),
    "regex": StepKind(_match_fields, "text", (ANY, PLAIN, TEXT), FIELDS),
}
