"""Read one CSV file: each line with its number, as texts and nulls or with the reason why it cannot be read."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from plait.plugin import BadRecord, form_of, not_utf8
from plait_connectors._csv_header import absent
from plait_connectors._csv_plain import MAX_COLUMNS, fault_of, without_first_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from plait_connectors._csv_options import CsvOptions

MAX_FIELDS = 5_000_000
OUT_OF_STEP = "not CSV: its quotes or lines are out of step"
QUOTES_HELP = "write a quote within a field twice, and the field in quotes"
NARROW_HELP = "write each row whole: a comment, a total and the rest of a file that was cut off are none"
WIDE_HELP = "put a field that has the delimiter in it into quotes, and none behind the last field"
SPLIT_HELP = "make several files of it"
Fields = dict[str, str | None]


def parse(
    data: bytes, options: CsvOptions, wanted: Collection[str] | None, body: Sequence[str] = ()
) -> Iterator[tuple[int, Fields | BadRecord]]:
    """Yield each line's number with its fields, null as None; raises BadRecord for the file as a whole.

    Fields whose name is empty, or there twice, are left out, if they are not `wanted`. One of the `body` must be there, if
    there are any.
    """
    if fault := fault_of(data, options.skip):
        raise fault
    length, data = len(data), without_first_lines(data, options.skip)
    lines = _lines(data, options, length - len(data))
    names = [*options.header] if options.header else lines.pop(0)[1]
    if body and not {*body} & {*names}:
        raise absent(data, names, options, body)
    if len(names) > MAX_COLUMNS:
        raise BadRecord(f"more than {MAX_COLUMNS:,} columns", help=SPLIT_HELP)
    unclear = {name for name, count in Counter(names).items() if not name or count > 1}
    if unclear and (meant := [name for name in names if name in unclear and name in (wanted or ())]):
        raise _unclear_name(meant[0], names, options)
    rows = iter(_with_nulls(data, options, len(names), [row for _, row in lines if len(row) == len(names)]))
    for line, row in lines:
        if len(row) == len(names):
            fields = zip(names, next(rows), strict=True)
            yield line, {name: text for name, text in fields if name not in unclear}
        else:
            count = f"{len(row)} field{'s' * (len(row) > 1)}"
            message = f"line {line} has {count}, the header has {len(names)}"
            yield line, BadRecord(message, help=NARROW_HELP if len(row) < len(names) else WIDE_HELP)


def _unclear_name(name: str, names: Sequence[str], options: CsvOptions) -> BadRecord:
    problem = f"the name `{name[:40]}` twice" if name else "an empty name, which a column takes"
    header = options.delimiter.join(names)
    return BadRecord(
        f"the header has {problem}: `{header[:39]}{'…' if len(header) > 39 else ''}`",
        help=f"name the fields by `header: […]` and leave out the file's own names by `skip: {options.skip + 1}`",
    )


def _lines(data: bytes, options: CsvOptions, skipped: int) -> list[tuple[int, list[str]]]:
    """Read the rows, each with the number of its first line; null cannot be told from an empty text here.

    `skipped` is how many bytes stood before.
    """
    import csv
    import io

    if data.count(options.delimiter.encode()) + data.count(b"\n") > MAX_FIELDS:
        raise BadRecord(f"more than {MAX_FIELDS:,} fields", help=SPLIT_HELP)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        fault = not_utf8(data, skipped + error.start)
        raise BadRecord(fault.message, help=fault.help) from None
    rows, first_line = [], options.skip + 1
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=options.delimiter,
        quotechar=options.quote or None,
        quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
        escapechar=options.escape or None,
        strict=True,
    )
    try:
        for row in reader:
            if row:
                rows.append((first_line, row))
            if len(rows) > options.max_rows + (not options.header):
                raise BadRecord(f"more than {options.max_rows:,} rows", help="raise `max_rows`")
            first_line = options.skip + reader.line_num + 1
    except csv.Error as error:
        form = form_of(data)
        message, help = (f"it is {form.message}", form.help) if form else (str(error), QUOTES_HELP)
        raise BadRecord(f"not CSV at line {first_line}: {message}", help=help) from None
    if not rows and not options.header:
        raise BadRecord("an empty file, without a header", help="write at least the header")
    return rows


def _with_nulls(
    data: bytes, options: CsvOptions, width: int, rows: list[list[str]]
) -> Sequence[Sequence[str | None]]:
    """Return the rows as texts and nulls: an empty field or a word of `null` is null, unless it is quoted."""
    nulls, quote = ("", *options.null), options.quote
    are_quoted = quote and any(f"{quote}{word}{quote}".encode() in data for word in nulls)
    if rows and (are_quoted or (quote and options.escape and options.escape.encode() in data)):
        return _arrow_rows(data, options, width, rows)
    return [[None if text in nulls else text for text in row] for row in rows]


def _arrow_rows(
    data: bytes, options: CsvOptions, width: int, rows: list[list[str]]
) -> list[tuple[str | None, ...]]:
    """Read the rows of this width with Arrow, which tells which nulls are quoted; raises BadRecord if it reads others."""
    import pyarrow as pa
    from pyarrow import csv

    names = [str(number) for number in range(width)]
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(
                column_names=names, use_threads=False, block_size=max(len(data) + 1, 1024)
            ),
            parse_options=csv.ParseOptions(
                delimiter=options.delimiter,
                quote_char=options.quote,
                escape_char=options.escape or False,
                newlines_in_values=True,
                invalid_row_handler=lambda _row: "skip",
            ),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=["", *options.null],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        raise BadRecord(OUT_OF_STEP, help=QUOTES_HELP) from None
    read = [*zip(*(column.to_pylist() for column in table.columns), strict=True)][not options.header :]
    nulls = {"", *options.null}
    pairs = chain.from_iterable(map(zip, rows, read))
    if len(read) != len(rows) or not all(
        text == cell or (cell is None and text in nulls) for text, cell in pairs
    ):
        raise BadRecord(OUT_OF_STEP, help=QUOTES_HELP)
    return read
