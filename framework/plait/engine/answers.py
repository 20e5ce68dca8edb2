"""What a look-up answers, typed: rows with their keys and times, and the records that could not be typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from plait.engine.counts import SourceCounts, add_up
from plait.engine.places import key_value, place_of_key
from plait.engine.read import TypedRecords, cast, is_flat
from plait.engine.rows import FEW, take, take_rows
from plait.plugin import BadRecord, Key, KeyFailed, Record, RecordTable
from plait.values.arrow_casts import cast_many
from plait.values.conversion_error import ConversionError
from plait.values.convert import convert
from plait.values.types import Type, arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from plait.language.spec import Source

KeyValues = tuple[Any, ...]
KeyPairs = tuple[tuple[str, str], ...]  # a column of the row, and the field of the source that it must equal
KeyFields = Sequence[tuple[str, Type]]  # the fields of a key, and the types of the row's columns
RecordsOrTable = list[Record] | RecordTable
CHARACTERS_OF_NUMBERS = frozenset("+-.0123456789")


class Answers(Struct):
    """Typed rows of a lookup; `times[n]` belongs to row n of `table`, and so do the n-th values of all `keys`.

    `faults` are the records that could not be typed, by key, each with its time. `near_misses` are the keys without
    a record for which the source has one whose key only looks alike. `counts` are those of the records.
    """

    table: Any
    keys: list[Any]
    times: list[datetime | None]
    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]]
    near_misses: set[KeyValues] = field(default_factory=set)
    counts: SourceCounts = field(default_factory=SourceCounts)


def key_pairs(source: Source) -> KeyPairs:
    """Pairs of a row's column and the source's field that must be equal."""
    on = source.join.on if source.join else ()
    in_options = ((column, column) for column in source.row_columns)
    return tuple(dict.fromkeys((*on, *in_options)))


def cast_key(value: Any, key_type: Type) -> Any:
    """Convert a value of an answer's key to the row's type; None if that would lose something."""
    try:
        return convert(value, key_type)
    except ConversionError:
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if key_type.word == "string" and is_integer else None


def type_answers(source: Source, records: RecordsOrTable, key_fields: KeyFields) -> Answers:
    """Cast the columns and the keys of records."""
    if isinstance(records, RecordTable) and not is_flat(source):
        records = [*records.records()]
    typed = cast(records, source)
    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]] = {}
    for record_number, fault in typed.faults.items():
        record = _record_at(records, record_number)
        key = key_of(record.fields, key_fields)
        if None not in key:
            faults.setdefault(key, []).append((record.time, _fault_of_answer(source, fault, record)))
    return Answers(
        table=typed.table,
        keys=[_key_column(records, typed, name, key_type) for name, key_type in key_fields],
        times=[None if isinstance(records, RecordTable) else records[n].time for n in typed.record_numbers],
        faults=faults,
        counts=typed.counts,
    )


def _record_at(records: RecordsOrTable, number: int) -> Record:
    if not isinstance(records, RecordTable):
        return records[number]
    (fields,) = records.table.slice(number, 1).to_pylist()
    return Record(fields=fields, position=records.position(number))


def concat_answers(parts: list[Answers]) -> Answers:
    """Put the answers of all parts together."""
    if len(parts) == 1:
        return parts[0]
    import pyarrow as pa

    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]] = {}
    for key, bad in chain.from_iterable(part.faults.items() for part in parts):
        faults.setdefault(key, []).extend(bad)
    return Answers(
        table=pa.concat_tables([part.table for part in parts]),
        keys=[pa.concat_arrays(pieces) for pieces in zip(*(part.keys for part in parts), strict=True)],
        times=[*chain.from_iterable(part.times for part in parts)],
        faults=faults,
        near_misses=set().union(*(part.near_misses for part in parts)),
        counts=add_up(part.counts for part in parts),
    )


def owners_of(answers: Answers) -> list[KeyValues]:
    """The key of each row."""
    return [*zip(*(column.to_pylist() for column in answers.keys), strict=True)]


def distinct_owners(answers: Answers) -> set[KeyValues]:
    """The distinct keys of the rows."""
    if len(answers.keys) == 1 and len(answers.times) > FEW:
        return {*zip(answers.keys[0].unique().to_pylist(), strict=True)}
    return {*owners_of(answers)}


def select_keys(answers: Answers, asked: Mapping[KeyValues, Sequence[Key]], *, by_time: bool) -> Answers:
    """Only the answers that a key asked for, `by_time` within its time."""
    owners = owners_of(answers)

    def is_asked(owner: KeyValues, time: datetime | None) -> bool:
        return any(not by_time or key.covers(time) for key in asked.get(owner, ()))

    if by_time:
        rows = zip(owners, answers.times, strict=True)
        positions = [position for position, (owner, time) in enumerate(rows) if is_asked(owner, time)]
    else:
        positions = [position for position, owner in enumerate(owners) if owner in asked]
    faults = {
        key: [(time, error) for time, error in bad if is_asked(key, time)]
        for key, bad in answers.faults.items()
    }
    if len(positions) == len(owners):
        return replace(answers, faults=faults)
    return replace(
        answers,
        table=take_rows(answers.table, positions),
        keys=[take(column, positions) for column in answers.keys],
        times=[answers.times[position] for position in positions],
        faults=faults,
    )


def no_answers(source: Source) -> Answers:
    """The answers of a lookup that found no record."""
    import pyarrow as pa

    keys = [pa.nulls(0) for _ in key_pairs(source)]
    return Answers(table=cast([], source).table, keys=keys, times=[], faults={})


def key_of(fields: Any, key_fields: KeyFields) -> KeyValues:
    """The key of a record in the types of the row, with None for a value whose conversion would lose something."""
    return tuple(cast_key(key_value(fields, name), key_type) for name, key_type in key_fields)


def raw_keys(records: RecordsOrTable, names: Sequence[str]) -> Iterable[KeyValues]:
    """The keys of records as the source gives them."""
    if isinstance(records, RecordTable):
        return set(zip(*(records.table.column(name).to_pylist() for name in names), strict=True))
    return [tuple(key_value(record.fields, name) for name in names) for record in records]


def _key_column(records: RecordsOrTable, typed: TypedRecords, name: str, key_type: Type) -> Any:
    """One key column of all answers in the row's type, null if that would lose something."""
    import pyarrow as pa

    values = _raw_key_column(records, typed, name)
    column = cast_many(values, key_type)
    if column is not None:
        return column
    cells = [
        cast_key(value, key_type) for value in (values if isinstance(values, list) else values.to_pylist())
    ]
    return pa.array(cells, arrow_type(key_type))


def _raw_key_column(records: RecordsOrTable, typed: TypedRecords, name: str) -> Any:
    if not isinstance(records, RecordTable):
        if place_of_key(name) is None:
            return [fields.get(name) for fields in typed.fields]
        return [key_value(fields, name) for fields in typed.fields]
    column = records.table.column(name).combine_chunks()
    return column if len(typed.record_numbers) == len(column) else take(column, typed.record_numbers)


def _fault_of_answer(source: Source, fault: BadRecord, record: Record) -> BadRecord:
    """Turn a fault of a look-up record into the error for the row that matches it."""
    if isinstance(fault, KeyFailed):
        fault.error.note = fault.error.note or f"in the look-up `{source.name}`"
        return fault
    place = f"`{source.name}`, {record.position}" if record.position else f"`{source.name}`"

    def of_source(fault: BadRecord) -> BadRecord:
        message, bare = (f"{place}: {text}" for text in (fault.message, fault.bare))
        error = bad_record_of(source, message, code=fault.code, help=fault.help, bare=bare)
        error.column = fault.column
        return error

    first, *others = map(of_source, fault.faults)
    return first.beside(*others) if others else first


def bad_record_of(
    source: Source, message: str, *, code: str, help: str | None, bare: str | None = None
) -> BadRecord:
    """The error of a record that a look-up makes bad."""
    error = BadRecord(message, code=code, help=help, bare=bare)
    error.source = source.name
    return error


def near_misses(missed: Iterable[KeyValues], answered: Iterable[KeyValues]) -> set[KeyValues]:
    """Return the missed keys that look like one of the answered keys.

    >>> near_misses([("Ada",), ("Bo",), (7,)], [("ADA ",), ("Bob",), ("007",)]) == {("Ada",), (7,)}
    True
    """
    looks = {tuple(map(_look, key)) for key in answered}
    return {key for key in missed if tuple(map(_look, key)) in looks} if looks else set()


def _look(value: Any) -> Any:
    """Reduce a value to a form that is equal for look-alikes: a number, or text without case, accents and outer spaces.

    Characters that nobody sees, such as a space without width, count as little.
    """
    text = str(value).casefold().strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        seen = (c for c in text if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
        text = "".join(seen).strip()
    if text[:1] not in CHARACTERS_OF_NUMBERS:
        return text
    with suppress(InvalidOperation):
        number = Decimal(text)
        return number if number.is_finite() else text
    return text
