"""CSV files that a row names by its path, on S3 or in a folder."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    Key,
    KeyFailed,
    Lookup,
    Missing,
    PlaitError,
    Record,
    RecordTable,
    StoredObject,
    UnsafePathValue,
    hookimpl,
)
from plait_connectors._aws import bucket_facts, read_permissions
from plait_connectors._csv_file import Fields, parse
from plait_connectors._csv_options import CsvOptions
from plait_connectors._csv_plain import PlainFiles, PlainGroups, Texts, record_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Statement

MAX_SHOWN = 40
PATH_HELP = "mend the value, or name the file by another column"


class AskedFile(NamedTuple):
    """A file that keys ask for, with the fields of each."""

    uri: str
    keys: list[Mapping[str, Any]]
    answer: StoredObject | Missing | PlaitError


class CsvLookup(Lookup[CsvOptions]):
    """Reads the file of each key."""

    order = "position"
    offline = True
    gives_binary = False
    gives_nested = False

    def row_columns(self) -> Sequence[str]:
        """Return the columns that the path names."""
        return self.options.path.columns

    def known_fields(self) -> Sequence[str] | None:
        """Return the fields, if the options name them."""
        return self.options.header or None

    def record_of_case(self, row: Mapping[str, Any]) -> Record:
        """Return a row of a case as a file has it: texts and nulls."""
        return Record(
            fields={name: None if value is None else _field_text(value) for name, value in row.items()}
        )

    def permissions(self) -> Iterable[Statement]:
        """Return the rights to read the files."""
        return read_permissions(self.options.path)

    def calls(self) -> list[Calls]:
        """Return one call for each key."""
        return [Calls(operation="s3:GetObject", quantity="keys")] if self.options.path.bucket else []

    def facts(self) -> Iterable[str]:
        """Ask for the region and the owner of the bucket."""
        return bucket_facts(self.options.path, self.context)

    def fetch(self, keys: Sequence[Key]) -> Iterable[Record | RecordTable]:
        """Yield the lines of the keys' files: a table for the plain files of each header, records of the others."""
        asked: dict[str, list[Mapping[str, Any]]] = {}
        for key, uri in zip(keys, self.options.path.fill_all([key.fields for key in keys]), strict=True):
            if isinstance(uri, UnsafePathValue):
                yield Record(fields=key.fields, fault=BadRecord(str(uri), help=PATH_HELP))
            elif uri is not None:
                asked.setdefault(uri, []).append(key.fields)
        answers = self.context.objects.get([*asked], self.options.max_bytes)
        groups = PlainGroups[AskedFile](self.options)
        for (uri, key_fields), answer in zip(asked.items(), answers, strict=True):
            file = AskedFile(uri, key_fields, answer)
            if not (
                isinstance(answer, StoredObject)
                and (len(key_fields) == 1 or len(self._path_values(file)) == 1)
                and groups.add(answer.data, file)
            ):
                yield from self._records(file)
        for group in filter(None, groups.by_header.values()):
            yield from self._together(group, groups)

    def _together(
        self, group: PlainFiles[AskedFile], groups: PlainGroups[AskedFile]
    ) -> Iterable[Record | RecordTable]:
        """Return a table of the files with one header, with the records of those that are not plain before it."""
        body, others = self.context.body_fields, list[AskedFile]()
        if body and {*body}.isdisjoint(group.names):
            return chain.from_iterable(map(self._records, group.files))
        table = self._table(group, groups)
        if not table:
            others, plain = groups.split(group)
            table = self._table(plain, groups) if others and plain.files else None
        records = chain.from_iterable(map(self._records, others if table else group.files))
        return chain(records, [table] if table else ())

    def _table(self, group: PlainFiles[AskedFile], groups: PlainGroups[AskedFile]) -> RecordTable | None:
        """Return a table of the files of a group, None if one of them is not plain."""
        if not group.are_plain(groups.marks, groups.delimiter):
            return None
        texts = self.options.path.texts_of([file.keys[0] for file in group.files])
        return record_table(group, self.options, texts)

    def _records(self, file: AskedFile) -> Iterator[Record]:
        """Yield the lines of one file for each key that asks for it; a file that cannot be read is a fault."""
        if isinstance(file.answer, Missing):
            return
        if isinstance(file.answer, PlaitError):
            failure = KeyFailed(file.answer)
            yield from (Record(fields=key, fault=failure) for key in file.keys)
            return
        try:
            lines = [*self._lines(file.answer)]
        except BadRecord as error:
            message, bare = (f"`{_shown(file.uri)}`: {text}" for text in (error.message, error.bare))
            fault = BadRecord(message, code=error.code, help=error.help, bare=bare)
            yield from (Record(fields=key, fault=fault) for key in file.keys)
            return
        for texts in self._path_values(file):
            keys = [key for key in file.keys if self._path_texts(key) == texts]
            for line, fields in lines:
                record = _record(file.uri, texts, line, fields)
                if record.fault is None:
                    yield record
                    continue
                # Its own key is not known, so it may be each one's; the first bad line says so to all.
                yield from (structs.replace(record, fields=key) for key in keys)
                keys = keys[:1]

    def _path_values(self, file: AskedFile) -> list[Texts]:
        """The fields that a file has from its path, each once; keys whose values differ may have one path."""
        distinct: list[Texts] = []
        for texts in map(self._path_texts, file.keys):
            if texts not in distinct:
                distinct.append(texts)
        return distinct

    def _path_texts(self, key_fields: Mapping[str, Any]) -> Texts:
        return self.options.path.texts({column: key_fields[column] for column in self._columns})

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        return self.options.path.columns

    def _lines(self, stored: StoredObject) -> Iterator[tuple[int, Fields | BadRecord]]:
        size, max_bytes = stored.item.size or 0, self.options.max_bytes
        if size > max_bytes:
            raise BadRecord(f"{size} bytes are more than the limit of {max_bytes}", help="raise `max_bytes`")
        fields = self.context.fields
        wanted = fields and {*fields, *self.options.path.columns}
        return parse(stored.data, self.options, wanted, self.context.body_fields)


def _shown(uri: str) -> str:
    """The end of a URI, which names the file; never all of it, since what fills a path is data."""
    return uri if len(uri) <= MAX_SHOWN else f"…{uri[1 - MAX_SHOWN :]}"


def _record(uri: str, texts: Texts, line: int, fields: Fields | BadRecord) -> Record:
    """The record of a line, with the fields from its path; a fault if the two differ."""
    position = f"line {line}"
    if isinstance(fields, BadRecord):
        fault = BadRecord(f"`{_shown(uri)}`: {fields.message}", help=fields.help)
        return Record(fields=texts, position=position, fault=fault)
    for name, text in texts.items():
        if fields.get(name, text) != text:
            fault = BadRecord(
                f"`{_shown(uri)}`: the field `{name}` at line {line} is another than in the path",
                help="give one of the two another name",
            )
            return Record(fields=texts, position=position, fault=fault)
    return Record(fields={**fields, **texts}, position=position)


def _field_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `csv`."""
    return [Connector("csv", "Lines of the CSV file that a row names.", CsvOptions, lookup=CsvLookup)]
