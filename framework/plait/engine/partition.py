"""Split rows into files of the sink: folders are a function of the row alone, names of the driving object alone; pure."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from plait.engine.rows import EPOCH, microseconds, take_rows
from plait.plugin import BadRecord, File, excerpt
from plait.values.driver_path import HIVE_NULL
from plait.values.lookup_path import path_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plait.engine.rows import Rows
    from plait.language.forms import Partition
    from plait.plugin import Item, ProjectedColumn

FORMATS = {"date": "{:%Y-%m-%d}", "month": "{:%Y-%m}", "hour": "{:%Y-%m-%d-%H}"}
HOUR = 3_600_000_000  # in microseconds
ESCAPED = "".join(map(chr, range(1, 32))) + "\x7f\"#%'*/:=?\\{[]^"
ESCAPES = {ord(character): f"%{ord(character):02X}" for character in ESCAPED}
MAX_NAME_BYTES = 255  # of a folder, on the file systems of today


def folders(table: Any, partitions: Sequence[Partition]) -> list[str]:
    """The folder of each row, such as `date=2026-07-01/`; a null has a folder of its own."""
    columns = [_folder_texts(table.column(p.column), p) for p in partitions]
    if not columns:
        return [""] * table.num_rows
    form = "".join(f"{encode(p.name).replace('%', '%%')}=%s/" for p in partitions)
    return [form % row for row in zip(*columns, strict=True)]


def folderless_rows(table: Any, partitions: Sequence[Partition]) -> dict[int, BadRecord]:
    """The rows whose value has no folder that reads back as that value, each with its error."""
    bad: dict[int, BadRecord] = {}
    for partition in partitions:
        if partition.function != "column" and partition.zone == "UTC":
            continue
        for row, value in enumerate(table.column(partition.column).to_pylist()):
            if problem := _why_folderless(value, partition):
                why, help = problem
                message = f"partition `{partition.name}`: {why}"
                error = BadRecord(message, code="bad-value", help=help, column=partition.column)
                bad[row] = bad[row].beside(error) if row in bad else error
    return bad


def _why_folderless(value: Any, partition: Partition) -> tuple[str, str] | None:
    """Why a value has no folder, and what helps; None if it has one."""
    by_bucket = "part by `bucket(n, c)`"
    if isinstance(value, datetime) and partition.function in FORMATS:
        try:
            _folder_text(value, partition)
        except OverflowError:
            return f"in {partition.zone} it is no moment of the years 1 to 9999", "part by the date in UTC"
    if not isinstance(value, str) or partition.function != "column":
        return None
    if value in ("", HIVE_NULL) or "\0" in value:
        what = "an empty text" if not value else "a NUL" if "\0" in value else "Hive's word for null"
        return f"{what} is no name of a folder", f"make it null, or {by_bucket}"
    room = MAX_NAME_BYTES - len(encode(partition.name)) - 1
    if 3 * len(value.encode()) > room and len(encode(value).encode()) > room:
        return f"its folder would have a name of more than {MAX_NAME_BYTES} bytes", by_bucket
    return None


def hidden_rows(
    table: Any,
    partitions: Sequence[Partition],
    projection: Mapping[str, ProjectedColumn],
    now: datetime,
) -> dict[int, BadRecord]:
    """The rows in a partition that Athena does not compute, each with its error."""
    bad: dict[int, BadRecord] = {}
    for partition in partitions:
        column = projection.get(partition.name)
        for row, text in enumerate(_folder_texts(table.column(partition.column), partition)):
            if is_projected(text, column, now):
                continue
            what = f"partition `{partition.name}`"
            error = BadRecord(
                f"{what}: Athena computes none for {'null' if text == HIVE_NULL else excerpt(text)}",
                code="outside-projection",
                help=f"see `projection` of the sink, at {excerpt(partition.name)}; `plait replay` takes it when it fits",
                bare=f"{what}: Athena computes none for its value",
                column=partition.column,
            )
            bad[row] = bad[row].beside(error) if row in bad else error
    return bad


def is_projected(text: str, column: ProjectedColumn | None, now: datetime) -> bool:
    """Whether Athena computes the partition of a folder's text: a value, a time up to a day from now, or a bucket."""
    if text == HIVE_NULL or column is None:
        return text != HIVE_NULL
    if column.from_ is None:
        return text in map(str, column.values)
    tomorrow = f"{now + timedelta(days=1):%Y-%m-%d-%H}"
    return column.from_ <= text <= tomorrow[: len(column.from_)]


def _folder_texts(column: Any, partition: Partition) -> list[str]:
    """The text of each row in its folder's name; each distinct value is formatted once, of times in UTC each hour."""
    from pyarrow import types

    is_by_clock = partition.function in FORMATS and types.is_timestamp(column.type)
    if is_by_clock and partition.zone == "UTC":
        hours = [None if moment is None else moment // HOUR for moment in microseconds(column)]
        moments = {h: None if h is None else EPOCH + timedelta(hours=h) for h in set(hours)}
        texts = {hour: _text_or_null(moment, partition) for hour, moment in moments.items()}
        return [texts[hour] for hour in hours]
    values = column.to_pylist()
    texts = {value: _text_or_null(value, partition) for value in set(values)}
    return [texts[value] for value in values]


def _text_or_null(value: Any, partition: Partition) -> str:
    return HIVE_NULL if value is None else encode(_folder_text(value, partition))


def _folder_text(value: Any, partition: Partition) -> str:
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
    """Escape a partition value as Hive and Spark do: `%XX` for what they escape, all else as it is.

    The characters are those of `ExternalCatalogUtils.escapePathName` of Spark 3.5, whose `HadoopFSUtils` passes over a
    folder that ends in `._COPYING_`.
    """
    escaped = text.translate(ESCAPES)
    return f"{escaped[:-1]}%5F" if escaped.endswith("._COPYING_") else escaped


def bucket(value: Any, buckets: int) -> int:
    """The bucket of a value: Iceberg's 32-bit murmur3, positive, modulo (its spec, appendix B)."""
    import mmh3

    return (mmh3.hash(_hashed_bytes(value)) & 0x7FFFFFFF) % buckets


def _hashed_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, Decimal):
        sign, digits, _ = value.as_tuple()
        unscaled = int(Decimal((sign, digits, 0)))
        return unscaled.to_bytes((unscaled + (unscaled < 0)).bit_length() // 8 + 1, "big", signed=True)
    if isinstance(value, datetime):
        epoch = datetime(1970, 1, 1, tzinfo=value.tzinfo)
        delta = value - epoch
        microseconds = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
        return microseconds.to_bytes(8, "little", signed=True)
    if isinstance(value, date):
        return (value.toordinal() - 719_163).to_bytes(8, "little", signed=True)
    return int(value).to_bytes(8, "little", signed=True)


def file_name(uri: str) -> str:
    """The name of the file that a driving object becomes, whatever run or batch it is part of."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def split_into_files(rows: Rows, items: Sequence[Item], partitions: Sequence[Partition]) -> list[File]:
    """Split rows into one file for each driving object and partition; `items[n]` is the object of record n."""
    groups: dict[tuple[str, str], list[int]] = {}
    folder_of_rows = folders(rows.table, partitions)
    for row, (record_number, folder) in enumerate(zip(rows.record_numbers, folder_of_rows, strict=True)):
        groups.setdefault((items[record_number].uri, folder), []).append(row)
    names = {partition.name for partition in partitions}
    columns = [name for name in rows.table.column_names if name in names]
    table = rows.table.drop_columns(columns).combine_chunks()
    return [
        File(
            table=_rows_at(table, positions),
            folder=folder,
            name=file_name(uri),
            item=items[rows.record_numbers[positions[0]]],
        )
        for (uri, folder), positions in groups.items()
    ]


def _rows_at(table: Any, positions: list[int]) -> Any:
    if positions[-1] - positions[0] + 1 == len(positions):
        return table.slice(positions[0], len(positions))
    return take_rows(table, positions)
