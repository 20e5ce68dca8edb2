"""CSV files that a row names by its path, on S3 or in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    Context,
    Key,
    LookupPath,
    Missing,
    Options,
    PlaitError,
    Record,
    RecordTable,
    StoredObject,
    UnsafePathValue,
    hookimpl,
)
from plait_connectors._aws import bucket_facts, reads
from plait_connectors._csv_block import BOM, Pile, Texts, block, pile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Statement, Use

MANY = 32
SHOWN = 40
MAX_COLUMNS = 10_000
MAX_FIELDS = 5_000_000
Fields = dict[str, str | None]


class Delimiter(str):
    """The character between two fields."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Delimiter:
        """Read a delimiter; raises ValueError where lines and quotes leave it no meaning."""
        if len(text) != 1 or not text.isascii() or text in '\0"\r\n':
            raise ValueError("a delimiter is one character of ASCII such as `;`, and no quote")
        return cls(text)


class Csv(Options, frozen=True, kw_only=True):
    """Options of `csv`."""

    path: Annotated[
        LookupPath,
        msgspec.Meta(description="the file of a row, such as `s3://shop-raw/items/{transaction_id}.csv`"),
    ]
    delimiter: Annotated[Delimiter, msgspec.Meta(description="the character between two fields")] = Delimiter(
        ","
    )
    max_bytes: Annotated[int, msgspec.Meta(ge=1, description="a larger file is a bad record")] = (
        64 * 1024 * 1024
    )
    max_rows: Annotated[int, msgspec.Meta(ge=1, description="a file with more rows is a bad record")] = (
        100_000
    )


def parse(data: bytes, delimiter: str, max_rows: int) -> Iterator[tuple[int, Fields | BadRecord]]:
    """Each line's number with its fields, a null being None; raises BadRecord for the whole file."""
    data = data.removeprefix(BOM)
    header, *lines = _lines(data, delimiter, max_rows)
    names = header[1]
    if len(names) > MAX_COLUMNS:
        raise BadRecord(f"more than {MAX_COLUMNS:,} columns")
    if "" in names or len(set(names)) < len(names):
        raise BadRecord("the header has an empty name, or a name twice")
    fit = [row for _, row in lines if len(row) == len(names)]
    table = iter(_fields(data, delimiter, names, fit))
    for line, row in lines:
        if len(row) == len(names):
            yield line, next(table)
        else:
            yield line, BadRecord(f"line {line} has {len(row)} fields, the header has {len(names)}")


def _fields(data: bytes, delimiter: str, names: list[str], rows: list[list[str]]) -> list[Fields]:
    """The rows as texts and nulls; an empty text is quoted, so without two quotes in a row there is none."""
    if rows and b'""' in data:
        return _table(data, delimiter, names, len(rows))
    return [{name: text or None for name, text in zip(names, row, strict=True)} for row in rows]


def _lines(data: bytes, delimiter: str, max_rows: int) -> list[tuple[int, list[str]]]:
    """The rows, each with the line that it begins on; they say how wide each is, but not what is null."""
    import csv
    import io

    if data.count(delimiter.encode()) + data.count(b"\n") > MAX_FIELDS:
        raise BadRecord(f"more than {MAX_FIELDS:,} fields")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecord(f"not UTF-8 at byte {error.start} after the mark") from None
    rows, begin = [], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                rows.append((begin, row))
            if len(rows) > max_rows + 1:
                raise BadRecord(f"more than {max_rows:,} rows", help="raise `max_rows`")
            begin = reader.line_num + 1
    except csv.Error as error:
        raise BadRecord(f"not CSV at line {begin}: {error}") from None
    if not rows:
        raise BadRecord("an empty file, without a header")
    return rows


def _table(data: bytes, delimiter: str, names: list[str], rows: int) -> list[Fields]:
    """The rows of the right width, as texts and nulls."""
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
    found: list[Fields] = table.to_pylist()
    return found


@dataclass(frozen=True)
class CsvLookup:
    """Fetches the file of each key."""

    options: Csv
    context: Context

    def fetch(self, keys: Sequence[Key]) -> Iterable[Record | RecordTable]:
        """The lines of the keys' files, file by file; those of many plain files as one block."""
        wanted: dict[str, list[Texts]] = {}
        fill, names = self.options.path.fill, self.options.path.columns
        for key in keys:
            try:
                uri = fill(key.fields)
            except UnsafePathValue as error:
                yield Record(fields=key.fields, fault=BadRecord(str(error)))
                continue
            if uri is not None:
                texts = self.options.path.texts({name: key.fields[name] for name in names})
                mine = wanted.setdefault(uri, [])
                if texts not in mine:
                    mine.append(texts)
        answers = zip(
            wanted.items(), self.context.objects.get([*wanted], self.options.max_bytes), strict=True
        )
        if len(wanted) >= MANY:
            yield from self._at_once(answers)
        else:
            for (uri, columns_of), answer in answers:
                yield from self._records(uri, columns_of, answer)

    def _at_once(
        self, answers: Iterable[tuple[tuple[str, list[Texts]], StoredObject | Missing | PlaitError]]
    ) -> Iterator[Record | RecordTable]:
        delimiter, taken = self.options.delimiter, set(self.options.path.columns)
        piles: dict[bytes, Pile | None] = {}
        for (uri, columns_of), answer in answers:
            mine = uri, columns_of, answer
            if (
                not isinstance(answer, StoredObject)
                or len(columns_of) > 1
                or answer.data.count(b"\n") > self.options.max_rows
                or not pile(piles, answer.data, delimiter, taken, mine)
            ):
                yield from self._records(*mine)
        for plain in (one for one in piles.values() if one and one.owners):
            rows = block(plain, delimiter, [columns for _, (columns,), _ in plain.owners])
            if rows is not None:
                yield rows
            else:
                for mine in plain.owners:
                    yield from self._records(*mine)

    def _records(
        self, uri: str, columns_of: list[Texts], answer: StoredObject | Missing | PlaitError
    ) -> Iterator[Record]:
        if isinstance(answer, Missing):
            return
        if isinstance(answer, PlaitError):
            raise answer
        try:
            lines = [*self._lines(answer)]
        except BadRecord as error:
            fault = BadRecord(f"`{_end(uri)}`: {error.message}", help=error.help)
            yield from (Record(fields=columns, fault=fault) for columns in columns_of)
            return
        for columns in columns_of:
            yield from (_record(uri, columns, line, fields) for line, fields in lines)

    def _lines(self, found: StoredObject) -> Iterator[tuple[int, Fields | BadRecord]]:
        size, most = found.item.size or 0, self.options.max_bytes
        if size > most:
            raise BadRecord(f"{size} bytes are more than the limit of {most}", help="raise `max_bytes`")
        return parse(found.data, self.options.delimiter, self.options.max_rows)


def _end(uri: str) -> str:
    """The end of a URI, which names the file; what fills a path is data, so never all of it."""
    return uri if len(uri) <= SHOWN else f"…{uri[1 - SHOWN :]}"


def _record(uri: str, columns: Texts, line: int, fields: Fields | BadRecord) -> Record:
    position = f"line {line}"
    if isinstance(fields, BadRecord):
        return Record(fields=columns, position=position, fault=BadRecord(f"`{_end(uri)}`: {fields.message}"))
    for name, text in columns.items():
        if fields.get(name, text) != text:
            fault = BadRecord(f"`{_end(uri)}`: the field `{name}` at line {line} is another than in the path")
            return Record(fields=columns, position=position, fault=fault)
    return Record(fields={**fields, **columns}, position=position)


def _facts(options: Any, context: Context) -> Iterable[str]:
    return bucket_facts(options.path, context)


def _permissions(options: Any, _use: Use) -> Iterable[Statement]:
    return reads(options.path)


def _calls(options: Any, _use: Use) -> list[Calls]:
    return [Calls(operation="s3:GetObject", quantity="keys")] if options.path.bucket else []


def _columns(options: Any) -> Sequence[str]:
    columns: Sequence[str] = options.path.columns
    return columns


def _given(_options: Any, row: Mapping[str, Any]) -> Record:
    """A row of a case as a file has it: texts and nulls."""
    return Record(fields={name: None if value is None else _text(value) for name, value in row.items()})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `csv`."""
    return [
        Connector(
            name="csv",
            summary="Lines of the CSV file that a row names.",
            options=Csv,
            lookup=CsvLookup,
            row_columns=_columns,
            order="position",
            permissions=_permissions,
            calls=_calls,
            facts=_facts,
            offline=True,
            given=_given,
            gives_binary=False,
        )
    ]
