"""Read one CSV file: each line with its number, as texts and nulls or with the reason why it cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.plugin import BadRecord
from plait_connectors._csv_plain import BOM, MAX_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FIELDS = 5_000_000
Fields = dict[str, str | None]


def parse(data: bytes, delimiter: str, max_rows: int) -> Iterator[tuple[int, Fields | BadRecord]]:
    """Yield each line's number with its fields, null as None; raises BadRecord for the file as a whole."""
    data = data.removeprefix(BOM)
    header, *lines = _lines(data, delimiter, max_rows)
    names = header[1]
    if len(names) > MAX_COLUMNS:
        raise BadRecord(f"more than {MAX_COLUMNS:,} columns")
    if "" in names or len(set(names)) < len(names):
        raise BadRecord("the header has an empty name, or a name twice")
    fitting = [row for _, row in lines if len(row) == len(names)]
    fields = iter(_with_nulls(data, delimiter, names, fitting))
    for line, row in lines:
        if len(row) == len(names):
            yield line, next(fields)
        else:
            yield line, BadRecord(f"line {line} has {len(row)} fields, the header has {len(names)}")


def _lines(data: bytes, delimiter: str, max_rows: int) -> list[tuple[int, list[str]]]:
    """Read the rows, each with the number of its first line; null cannot be told from an empty text here."""
    import csv
    import io

    if data.count(delimiter.encode()) + data.count(b"\n") > MAX_FIELDS:
        raise BadRecord(f"more than {MAX_FIELDS:,} fields")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecord(f"not UTF-8 at byte {error.start} after the mark") from None
    rows, first_line = [], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                rows.append((first_line, row))
            if len(rows) > max_rows + 1:
                raise BadRecord(f"more than {max_rows:,} rows", help="raise `max_rows`")
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise BadRecord(f"not CSV at line {first_line}: {error}") from None
    if not rows:
        raise BadRecord("an empty file, without a header")
    return rows


def _with_nulls(data: bytes, delimiter: str, names: list[str], rows: list[list[str]]) -> list[Fields]:
    """Return the rows as texts and nulls: an empty field is null, unless it is quoted."""
    if rows and b'""' in data:
        return _arrow_rows(data, delimiter, names, len(rows))
    return [{name: text or None for name, text in zip(names, row, strict=True)} for row in rows]


def _arrow_rows(data: bytes, delimiter: str, names: list[str], rows: int) -> list[Fields]:
    """Read the rows that are as wide as the header with Arrow, which tells null from an empty text."""
    import pyarrow as pa
    from pyarrow import csv

    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(use_threads=False, block_size=max(len(data) + 1, 1024)),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lambda _row: "skip"
            ),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        raise BadRecord("not CSV: its quotes or lines are out of step") from None
    if table.num_rows != rows or table.column_names != names:
        raise BadRecord("not CSV: its quotes or lines are out of step")
    fields: list[Fields] = table.to_pylist()
    return fields
