"""Partition values and folders: functions of the row alone; pure."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from plait.plugin import BadRecord
from plait.problems.errors import IncompatibleTypes
from plait.values.paths import path_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.language.spec import Partition

NULL = "__HIVE_DEFAULT_PARTITION__"
FORMATS = {"date": "{:%Y-%m-%d}", "month": "{:%Y-%m}", "hour": "{:%Y-%m-%d-%H}"}
MANY = 64
SAFE = " !$&'()+,-.;<>@[]_`|~"
LONGEST = 255


def folders(table: Any, partitions: Sequence[Partition]) -> list[str]:
    """The folder of each row, such as `date=2026-07-01/`; a null has a folder of its own."""
    columns = [_texts(parting(table, p.column), p) for p in partitions]
    names = [p.name for p in partitions]
    if not columns:
        return [""] * table.num_rows
    return [
        "".join(f"{encode(n)}={v}/" for n, v in zip(names, row, strict=True))
        for row in zip(*columns, strict=True)
    ]


def too_long(table: Any, partitions: Sequence[Partition]) -> dict[int, BadRecord]:
    """The rows that have no folder, since its name would be longer than file systems take, each with why."""
    bad: dict[int, BadRecord] = {}
    for one in partitions:
        values = parting(table, one.column).to_pylist() if one.function == "column" else []
        room = LONGEST - len(encode(one.name)) - 1
        for number, value in enumerate(values):
            if isinstance(value, str) and 3 * len(value.encode()) > room and len(encode(value)) > room:
                why = f"partition `{one.name}`: its folder would have a name of more than {LONGEST} bytes"
                bad.setdefault(number, BadRecord(why, code="bad-value", help="part by `bucket(n, c)`"))
    return bad


def beyond(table: Any, partitions: Sequence[Partition]) -> dict[int, BadRecord]:
    """The rows whose moment lies, in the zone of a partition, outside of the years 1 to 9999, each with why."""
    bad: dict[int, BadRecord] = {}
    for one in partitions:
        if one.zone == "UTC":
            continue
        for number, value in enumerate(parting(table, one.column).to_pylist()):
            try:
                _text(value, one) if isinstance(value, datetime) else None
            except OverflowError:
                why = f"partition `{one.name}`: in {one.zone} it is no moment of the years 1 to 9999"
                bad.setdefault(number, BadRecord(why, code="bad-value", help="part by the date in UTC"))
    return bad


def parting(table: Any, name: str) -> Any:
    """A partition column; raises IncompatibleTypes for what only a column of undeclared type turns out to be."""
    import pyarrow.types as kinds

    column = table.column(name)
    if kinds.is_nested(column.type) or kinds.is_floating(column.type) or kinds.is_binary(column.type):
        message = f"`{name}` turned out to be `{column.type}`, by which files cannot be parted"
        raise IncompatibleTypes(message, field=name, code="partition-type", help="part by another column")
    return column


def _texts(column: Any, partition: Partition) -> list[str]:
    if len(column) < MANY:
        return [NULL if value is None else encode(_text(value, partition)) for value in column.to_pylist()]
    coded = _coarse(column, partition).combine_chunks().dictionary_encode()
    texts = [encode(_text(value, partition)) for value in coded.dictionary.to_pylist()]
    return [NULL if code is None else texts[code] for code in coded.indices.to_pylist()]


def _coarse(column: Any, partition: Partition) -> Any:
    """The moments of one hour, all of which lie in the same folder of UTC, as one moment."""
    import pyarrow as pa
    import pyarrow.compute as pc

    by_clock = partition.function in FORMATS and pa.types.is_timestamp(column.type)
    if not by_clock or partition.zone != "UTC":
        return column
    hours = pc.floor_temporal(column.cast(pa.timestamp("us")), 1, "hour")
    return hours.cast(pa.timestamp("us", tz="UTC"))


def _text(value: Any, partition: Partition) -> str:
    if partition.function in FORMATS:
        if isinstance(value, datetime):
            value = value.astimezone(ZoneInfo(partition.zone))
        text = FORMATS[partition.function].format(value)
        return text.rjust(len(text) + 4 - text.index("-"), "0")
    if partition.function == "bucket":
        return str(bucket(value, partition.buckets))
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(' ')}"
    return path_text(value)


def encode(text: str) -> str:
    """Percent-encode a partition value as Hive does, so that it stays one segment of a path."""
    if text in (".", "..", "", NULL):
        return "".join(f"%{ord(c):02X}" for c in text) or NULL
    return quote(text, safe=SAFE)


def bucket(value: Any, buckets: int) -> int:
    """The bucket of a value: Iceberg's 32-bit murmur3, positive, modulo (its spec, appendix B)."""
    import mmh3

    return (mmh3.hash(_bytes(value)) & 0x7FFFFFFF) % buckets


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, Decimal):
        sign, digits, _ = value.as_tuple()
        unscaled = int(Decimal((sign, digits, 0)))
        return unscaled.to_bytes((unscaled + (unscaled < 0)).bit_length() // 8 + 1, "big", signed=True)
    if isinstance(value, datetime):
        epoch = datetime(1970, 1, 1, tzinfo=value.tzinfo)
        delta = value - epoch
        whole = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
        return whole.to_bytes(8, "little", signed=True)
    if isinstance(value, date):
        return (value.toordinal() - 719_163).to_bytes(8, "little", signed=True)
    return int(value).to_bytes(8, "little", signed=True)
