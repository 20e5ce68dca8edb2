"""Read many plain CSV files at once: files without quotes, in which each line is a row whatever its neighbours are."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar

from plait.plugin import BadRecord, RecordTable, form_of

if TYPE_CHECKING:
    import pyarrow as pa

    from plait_connectors._csv_options import CsvOptions

BOM = b"\xef\xbb\xbf"
MAX_COLUMNS = 10_000
MAX_PLAIN_BYTES = 100_000  # Python's reader refuses a field that is a little longer
Texts = dict[str, str]
F = TypeVar("F")


@dataclass
class PlainFiles(Generic[F]):
    """Plain files with the same header: their bodies without it, the lines of each body, and the caller's files."""

    names: list[str]
    bodies: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    files: list[F] = field(default_factory=list)

    def add(self, body: bytes, delimiter: bytes, file: F) -> bool:
        """Add a file and return True, unless the number of its delimiters does not suit its lines."""
        body = body if body.endswith(b"\n") or not body else body + b"\n"
        lines = body.count(b"\n")
        if body.count(delimiter) != lines * (len(self.names) - 1):
            return False
        self.bodies.append(body)
        self.lines.append(lines)
        self.files.append(file)
        return True


class PlainGroups(Generic[F]):
    """The plain files of each header.

    The group of an unusual header is None: it has an empty name, a name twice, a column of the path, or too many.
    """

    def __init__(self, options: CsvOptions) -> None:
        self.options, self.by_header = options, dict[bytes, PlainFiles[F] | None]()
        self.delimiter = options.delimiter.encode()
        self.not_plain = f"{options.quote}{options.escape}\r".encode()


def add_if_plain(groups: PlainGroups[F], data: bytes, file: F) -> bool:
    """Add a file to the group of its header and return True, if the file is plain."""
    options, by_header = groups.options, groups.by_header
    if fault_of(data, options.skip):
        return False
    data = without_first_lines(data, options.skip).replace(b"\r\n", b"\n")
    has_marks = len(data.translate(None, groups.not_plain)) < len(data)
    if len(data) > MAX_PLAIN_BYTES or has_marks or b"\n\n" in data or not _is_utf8(data):
        return False
    header, _, body = (b"", b"", data) if options.header else data.partition(b"\n")
    if header not in by_header:
        names = [*options.header] if options.header else header.decode().split(options.delimiter)
        path_columns = {*options.path.columns}
        are_distinct = len({*names, *path_columns}) == len(names) + len(path_columns)
        usual = "" not in names and are_distinct and len(names) <= MAX_COLUMNS
        by_header[header] = PlainFiles(names) if usual else None
    group = by_header[header]
    return group is not None and group.add(body, groups.delimiter, file)


def fault_of(data: bytes, skip: int) -> BadRecord | None:
    """What is wrong with a file whose first lines are skipped unread, or that was put together from several."""
    if data.isascii():
        return None
    if skip and (form := form_of(data)):
        return BadRecord(f"not CSV, but {form.message}", help=form.help)
    if data.startswith(BOM + BOM) or b"\n" + BOM in data:
        return BadRecord("a second byte-order mark begins one of its lines", help="write one mark at most")
    return None


def without_first_lines(data: bytes, count: int) -> bytes:
    """Return the text behind its mark and its first lines, whatever these are."""
    data = data.removeprefix(BOM)
    return [*re.split(rb"\r\n?|\n", data, maxsplit=count)[count:], b""][0] if count else data


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def record_table(group: PlainFiles[F], options: CsvOptions, path_values: list[Texts]) -> RecordTable | None:
    """Return the rows of a group, file by file, or None if a line is not as wide as the header.

    `path_values` are the fields that each file has from its path.
    """
    import pyarrow as pa

    try:
        table = _texts(group, options)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != sum(group.lines):
        return None
    for column in path_values[0]:
        texts = zip((values[column] for values in path_values), group.lines, strict=True)
        cells = [text for text, lines in texts for _ in range(lines)]
        table = table.append_column(column, pa.array(cells, pa.string()))
    starts = [*accumulate(group.lines, initial=0)]
    first = options.skip + (1 if options.header else 2)
    return RecordTable(
        table=table, position=lambda row: f"line {row - starts[bisect_right(starts, row) - 1] + first}"
    )


def _texts(group: PlainFiles[F], options: CsvOptions) -> pa.Table:
    """All lines of a group as texts, an empty text and the words of `null` as null."""
    import pyarrow as pa
    from pyarrow import csv

    # Arrow drops a mark at the beginning of its input, so a line that it skips stands before the first row.
    data = b"".join([b"header\n", *group.bodies])
    return csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(
            column_names=group.names, skip_rows=1, use_threads=False, block_size=len(data) + 1024
        ),
        csv.ParseOptions(delimiter=options.delimiter, quote_char=False),
        csv.ConvertOptions(
            column_types={name: pa.string() for name in group.names},
            null_values=["", *options.null],
            strings_can_be_null=True,
        ),
    )
