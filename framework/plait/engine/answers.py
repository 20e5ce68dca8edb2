"""What a look-up answers, typed: rows with their keys and times, and the records that could not be typed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, compress
from typing import TYPE_CHECKING, Any

from plait.engine.read import MANY, TypedRecords, cast, is_flat
from plait.plugin import BadRecord, Record, RecordTable
from plait.values.arrow_casts import to_array
from plait.values.convert import ConversionError, convert
from plait.values.types import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from plait.language.spec import Source
    from plait.values.types import Type

KeyValues = tuple[Any, ...]
Pairs = tuple[tuple[str, str], ...]
Part = list[Record] | RecordTable


@dataclass(slots=True)
class Answers:
    """Typed rows of a lookup; `times[n]` belongs to row n of `table`, and so do the n-th values of all `keys`.

    `faults` are the records that could not be typed, by key, each with its time. `twins` are the keys without
    a record for which the source has one whose key only looks alike.
    """

    table: Any
    keys: list[Any]
    times: list[datetime | None]
    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]]
    twins: set[KeyValues] = field(default_factory=set)


def key_columns(source: Source) -> Pairs:
    """Pairs of a row's column and the source's field that must be equal."""
    on = source.join.on if source.join else ()
    extra = ((c, c) for c in source.connector.row_columns(source.options))
    return tuple(dict.fromkeys((*on, *extra)))


def cast_key(value: Any, kind: Type | None) -> Any:
    """A key of an answer in the row's type, or None where that would lose something."""
    if kind is None:
        return None if isinstance(value, (list, dict, set)) else value
    try:
        return convert(value, kind)
    except ConversionError:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if kind.word == "string" and whole else None


def typed(source: Source, part: Part, pairs: Pairs, wanted: Sequence[Type | None]) -> Answers:
    """Cast the columns and the keys of records; `wanted` are the types of the row's columns."""
    if isinstance(part, RecordTable) and not is_flat(source):
        part = [*part.records()]
    found = cast(part, source)
    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]] = {}
    for n, fault in found.faults.items():
        record = _record(part, n)
        mine = owner(record.fields, pairs, wanted)
        if None not in mine:
            faults.setdefault(mine, []).append((record.time, _blame(source, fault, record)))
    return Answers(
        table=found.table,
        keys=[_key_column(part, found, name, kind) for (_, name), kind in zip(pairs, wanted, strict=True)],
        times=[None if isinstance(part, RecordTable) else part[n].time for n in found.record_numbers],
        faults=faults,
    )


def _record(part: Part, number: int) -> Record:
    if not isinstance(part, RecordTable):
        return part[number]
    (fields,) = part.table.slice(number, 1).to_pylist()
    return Record(fields=fields, position=part.position(number))


def together(parts: list[Answers]) -> Answers:
    """The answers of all parts as one."""
    if len(parts) == 1:
        return parts[0]
    import pyarrow as pa

    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]] = {}
    for key, bad in chain.from_iterable(part.faults.items() for part in parts):
        faults.setdefault(key, []).extend(bad)
    columns = zip(*(part.keys for part in parts), strict=True)
    return Answers(
        table=pa.concat_tables([part.table for part in parts]),
        keys=[[*chain(*one)] if isinstance(one[0], list) else pa.concat_arrays(one) for one in columns],
        times=[*chain.from_iterable(part.times for part in parts)],
        faults=faults,
    )


def of(answers: Answers, asked: set[KeyValues], owners: list[KeyValues]) -> Answers:
    """The answers of the keys asked for; `owners` has the key of each row."""
    import pyarrow as pa

    kept = [owner in asked for owner in owners]
    return replace(
        answers,
        table=answers.table.filter(pa.array(kept, pa.bool_())),
        keys=[
            [*compress(one, kept)] if isinstance(one, list) else one.filter(pa.array(kept, pa.bool_()))
            for one in answers.keys
        ],
        times=[*compress(answers.times, kept)],
        faults={key: bad for key, bad in answers.faults.items() if key in asked},
    )


def no_answers(source: Source) -> Answers:
    """What a lookup without any record answers."""
    return Answers(table=cast([], source).table, keys=[[] for _ in key_columns(source)], times=[], faults={})


def owner(fields: Any, pairs: Pairs, wanted: Sequence[Type | None]) -> KeyValues:
    """The key of a record in the types of the row, with None for a part that would lose something."""
    return tuple(cast_key(fields.get(name), kind) for (_, name), kind in zip(pairs, wanted, strict=True))


def raw_keys(part: Part, pairs: Pairs) -> Iterable[KeyValues]:
    """The keys as the source gives them."""
    names = [name for _, name in pairs]
    if isinstance(part, RecordTable):
        return set(zip(*(part.table.column(name).to_pylist() for name in names), strict=True))
    return [tuple(map(record.fields.get, names)) for record in part]


def _key_column(part: Part, typed: TypedRecords, name: str, kind: Type | None) -> Any:
    """A key of all answers in the row's type, null where that would lose something; a list without a type."""
    import pyarrow as pa

    values = _key_values(part, typed, name)
    column = to_array(values, kind) if kind and len(values) >= MANY else None
    if column is not None:
        return column
    cells = [cast_key(value, kind) for value in (values if isinstance(values, list) else values.to_pylist())]
    return pa.array(cells, arrow_type(kind)) if kind else cells


def _key_values(part: Part, typed: TypedRecords, name: str) -> Any:
    if not isinstance(part, RecordTable):
        return [fields.get(name) for fields in typed.fields]
    import pyarrow as pa

    column = part.table.column(name).combine_chunks()
    return (
        column
        if len(typed.record_numbers) == len(column)
        else column.take(pa.array(typed.record_numbers, pa.int64()))
    )


def _blame(source: Source, fault: BadRecord, record: Record) -> BadRecord:
    where = f"`{source.name}`, {record.position}" if record.position else f"`{source.name}`"
    told, bare = (f"{where}: {text}" for text in (fault.message, fault.bare))
    return blame(source, told, code=fault.code, help=fault.help, bare=bare)


def blame(source: Source, message: str, *, code: str, help: str | None, bare: str | None = None) -> BadRecord:
    """The error of a record that a look-up makes bad."""
    error = BadRecord(message, code=code, help=help, bare=bare)
    error.source = source.name
    return error
