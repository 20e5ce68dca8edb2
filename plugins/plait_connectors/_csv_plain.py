"""Read many plain CSV files at once: files without quotes, in which each line is a row whatever its neighbours are."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from plait.plugin import BadRecord, RecordTable, form_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from plait_connectors._csv_options import CsvOptions

BOM = b"\xef\xbb\xbf"
MAX_COLUMNS = 10_000
MAX_PLAIN_BYTES = 100_000  # Python's reader refuses a field that is a little longer
Texts = dict[str, str]
F = TypeVar("F")


class PlainFiles(Struct, Generic[F]):
    """Files with the same header: their bodies without it, the lines of each body, and the caller's files."""

    names: list[str]
    bodies: list[bytes] = []
    lines: list[int] = []
    files: list[F] = []

    def add(self, body: bytes, lines: int, file: F) -> None:
        """Add a file."""
        self.bodies.append(body)
        self.lines.append(lines)
        self.files.append(file)

    def are_plain(self, marks: bytes, delimiter: bytes) -> bool:
        """Whether no file has a mark or an empty line, and the number of the delimiters suits that of the lines."""
        text = b"".join(self.bodies)
        return (
            len(text.translate(None, marks)) == len(text)
            and b"\n\n" not in text
            and not text.startswith(b"\n")
            and _is_utf8(text)
            and text.count(delimiter) == sum(self.lines) * (len(self.names) - 1)
        )


class PlainGroups(Generic[F]):
    """The files of each header that may be plain.

    The group of an unusual header is None: it has an empty name, a name twice, a column of the path, or too many.
    """

    def __init__(self, options: CsvOptions) -> None:
        self.options, self.by_header = options, dict[bytes, PlainFiles[F] | None]()
        self.delimiter = options.delimiter.encode()
        self.marks = f"{options.quote}{options.escape}\r".encode()

    def add(self, data: bytes, file: F) -> bool:
        """Add a file to the group of its header and return True, unless it is to be read alone."""
        options = self.options
        if len(data) > MAX_PLAIN_BYTES:
            return False
        if options.skip or not data.isascii():
            if fault_of(data, options.skip):
                return False
            data = without_first_lines(data, options.skip)
        data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        header, _, body = (b"", b"", data) if options.header else data.partition(b"\n")
        if header not in self.by_header:
            self.by_header[header] = self._group(header)
        group = self.by_header[header]
        body = body if body.endswith(b"\n") or not body else body + b"\n"
        lines = body.count(b"\n")
        if group is None or lines > options.max_rows:
            return False
        group.add(body, lines, file)
        return True

    def _group(self, header: bytes) -> PlainFiles[F] | None:
        if len(header.translate(None, self.marks)) < len(header) or not _is_utf8(header):
            return None
        options = self.options
        names = [*options.header] if options.header else header.decode().split(options.delimiter)
        path_columns = {*options.path.columns}
        are_distinct = len({*names, *path_columns}) == len(names) + len(path_columns)
        usual = "" not in names and are_distinct and len(names) <= MAX_COLUMNS
        return PlainFiles(names) if usual else None

    def split(self, group: PlainFiles[F]) -> tuple[list[F], PlainFiles[F]]:
        """The files of a group that are not plain, and the group of those that are."""
        others, plain = list[F](), PlainFiles[F](group.names)
        for body, lines, file in zip(group.bodies, group.lines, group.files, strict=True):
            if PlainFiles(group.names, [body], [lines]).are_plain(self.marks, self.delimiter):
                plain.add(body, lines, file)
            else:
                others.append(file)
        return others, plain


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


def record_table(
    group: PlainFiles[F], options: CsvOptions, path_texts: Mapping[str, Iterable[str]]
) -> RecordTable | None:
    """Return the rows of a group, file by file, or None if a line is not as wide as the header.

    `path_texts` has for each column of the path what stands in that of each file.
    """
    import pyarrow as pa

    try:
        table = _texts(group, options)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != sum(group.lines):
        return None
    for column, texts in path_texts.items():
        cells = [*chain.from_iterable(map(repeat, texts, group.lines))]
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
