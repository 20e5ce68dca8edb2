"""How the oracle reads JSON, CSV and the values in them, with nothing but the standard library."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Row = dict[str, Any]

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:[.,]([0-9]+))?(Z|[-+][0-9]{2}(?::?[0-9]{2})?)?"
)
CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n][^,\r\n]*)?)(,|\r\n|\r|\n|\Z)')


class BadRecordError(Exception):
    """The record cannot become a row."""


def parse(data: bytes) -> Any:
    """Read one JSON document, with decimals kept exact."""
    try:
        document = json.loads(
            data.decode("utf-8-sig"), parse_float=_exact, parse_constant=_refuse, object_pairs_hook=_mapping
        )
        json.dumps(document, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError) as error:
        raise BadRecordError("not JSON") from error
    return document


def _exact(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        return Decimal("Infinity")


def _refuse(word: str) -> None:
    raise BadRecordError(f"{word} is not JSON")


def _mapping(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise BadRecordError("a key is given twice")
    return dict(pairs)


def read_csv(data: bytes) -> list[Row]:
    """Read records under a header; an unquoted empty cell is None, a quoted one is empty text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRecordError("items are not UTF-8") from error
    lines = [line for line in _csv_lines(text) if line != [None]]
    if not lines:
        return []
    header = lines[0]
    if len(set(header)) < len(header):
        raise BadRecordError("the items' header names a column twice")
    if any(len(line) != len(header) for line in lines):
        raise BadRecordError("an item has more or fewer cells than the header")
    return [dict(zip(map(str, header), line, strict=True)) for line in lines[1:]]


def _csv_lines(text: str) -> list[list[str | None]]:
    lines: list[list[str | None]] = [[]]
    position = 0
    while position < len(text) or lines[-1]:
        cell = CELL.match(text, position)
        if cell is None:
            raise BadRecordError("broken quotes in the items")
        quoted, plain, end = cell.groups()
        lines[-1].append(plain if quoted is None else quoted.replace('""', '"'))
        position = cell.end()
        if end != ",":
            lines.append([])
    return lines[:-1]


def text(value: object) -> str | None:
    """A text stays what it is; nothing else becomes one."""
    if value is None or isinstance(value, str):
        return value
    raise BadRecordError("not a text")


def _number(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return _exact(value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Decimal(value)
    raise BadRecordError("not a number")


def integer(value: object, bits: int = 64) -> int | None:
    """An integral number in range, or the text of one."""
    number = _number(value)
    if number is None:
        return None
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise BadRecordError("out of range")
    if number != int(number):
        raise BadRecordError("not integral")
    return int(number)


def money(value: object) -> Decimal | None:
    """A number that is exactly a decimal(12,2), or the text of one."""
    number = _number(value)
    if number is None:
        return None
    if abs(number) >= 10**10:
        raise BadRecordError("out of range")
    exact = number.quantize(Decimal("0.01"))
    if exact != number:
        raise BadRecordError("more than two decimals")
    return exact + 0


def timestamp(value: object) -> datetime | None:
    """An ISO 8601 text as UTC, cut to the microsecond."""
    if value is None:
        return None
    match = TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[4] and not match[3]):
        raise BadRecordError("not a timestamp")
    day, minute, second, fraction, zone = match.groups()
    digits = (fraction or "").ljust(6, "0")[:6]
    try:
        at = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}.{digits}{zone or 'Z'}")
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRecordError("not a timestamp") from error
