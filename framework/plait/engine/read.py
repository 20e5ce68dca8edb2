"""Cast raw records to one Arrow table of declared types; a record that does not fit is a fault, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from plait.engine.counts import SourceCounts
from plait.engine.places import (
    ABSENT,
    RECORDS_WITH_NAMES,
    bad_encoding,
    cell_of,
    decoded_fields,
    fields_together,
    names_beside,
    object_fact,
    values_at,
)
from plait.engine.rows import empty_rows, take_rows
from plait.language.forms import OBJECT_FACTS
from plait.plugin import BadRecord, Record, RecordTable
from plait.problems.errors import MAX_FAULTS
from plait.values.arrow_casts import cast_many
from plait.values.conversion_error import ConversionError
from plait.values.decode import decode
from plait.values.places import comparable, overlap, pick
from plait.values.types import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.spec import Column, Source


MAX_FURTHER_FAULTS = 50_000  # of all records of a batch, which take some 40 MB
EMPTY_RECORD = Record(fields={})
Cell = tuple[int, Record, Mapping[str, Any]]  # the number of a record, the record, and its decoded fields


class TypedRecords(Struct):
    """Records cast to types: row n of `table` is record `record_numbers[n]`, whose decoded fields are `fields[n]`.

    `faults` has why each other record does not fit, by record number; `left_out` are the records that `only` does not take.
    `counts` are those of all decoded records.
    """

    table: Any
    record_numbers: list[int]
    fields: list[Mapping[str, Any]]
    faults: dict[int, BadRecord] = field(default_factory=dict)
    further_faults: int = 0
    left_out: set[int] = field(default_factory=set)
    counts: SourceCounts = field(default_factory=SourceCounts)


def cast(records: Sequence[Record] | RecordTable, source: Source) -> TypedRecords:
    """Decode each record and cast its columns.

    A RecordTable is cast for a flat source only (see `is_flat`), and its result has no `fields`.
    """
    if isinstance(records, RecordTable):
        typed = TypedRecords(None, [*range(records.table.num_rows)], [])
    else:
        typed = _decode_all(records, source)
    columns = source.columns or ()
    arrays = [_cast_column(column, records, typed) for column in columns]
    typed.counts.records = len(typed.record_numbers)
    for column, cells in zip(columns, arrays, strict=True):
        if cells.null_count or column.default is not None:
            _count_gaps(column, records, typed)
    return _without_faults(typed, arrays, columns)


def is_flat(source: Source) -> bool:
    """Whether each column takes a field unchanged."""
    columns = source.columns or ()
    return not source.decode and all(len(c.selector) == 1 and c.origin not in OBJECT_FACTS for c in columns)


def _cast_column(column: Column, records: Sequence[Record] | RecordTable, typed: TypedRecords) -> Any:
    """Cast a column at once where its values are many and usual, else cell by cell, which finds each fault."""
    values = _values(column, records, typed)
    cells = None if values is None else _cast_usual(column, values)
    if cells is not None:
        return cells
    if isinstance(records, RecordTable):
        name = str(column.selector[0])
        raw = values if isinstance(values, list) else values.to_pylist()
        rows: list[Cell] = [(number, EMPTY_RECORD, {name: value}) for number, value in enumerate(raw)]
    else:
        rows = [(n, records[n], fields) for n, fields in zip(typed.record_numbers, typed.fields, strict=True)]
    return _cast_cells(column, rows, typed)


def _values(column: Column, records: Sequence[Record] | RecordTable, typed: TypedRecords) -> Any:
    """The raw values of a column, as a list or an Arrow array; None if `pick` may refuse one."""
    if isinstance(records, RecordTable):
        name, table = str(column.selector[0]), records.table
        known = name in table.column_names
        return table.column(name).combine_chunks() if known else [None] * table.num_rows
    if column.origin in OBJECT_FACTS:
        return [object_fact(column.origin, records[number]) for number in typed.record_numbers]
    values: list[Any] = typed.fields
    for step in column.selector:
        kinds = {*map(type, values)}
        if isinstance(step, int) or kinds - {dict, type(None)}:
            return None
        try:
            values = [*map(itemgetter(step), values)]
        except (KeyError, TypeError):  # a field is not there, or a null is where it would be
            values = [value if value is None else value.get(step) for value in values]
    return values


def _count_gaps(column: Column, records: Sequence[Record] | RecordTable, typed: TypedRecords) -> None:
    """Count the cells of a column without a value in its source, and note what fields there are if no record has its own."""
    counts, fields = typed.counts, typed.fields[:RECORDS_WITH_NAMES]
    if isinstance(records, RecordTable):
        cells = _values(column, records, typed)
        is_unknown = isinstance(cells, list)
        absent, nulls = (len(cells), len(cells)) if is_unknown else (0, cells.null_count)
        fields = [dict.fromkeys(records.table.column_names)]
    else:
        is_fact = column.origin in OBJECT_FACTS
        values = _values(column, records, typed) if is_fact else values_at(typed.fields, column.selector)
        absent = values.count(ABSENT)
        nulls = absent + values.count(None)
    counts.add_column(column, nulls, absent)
    if absent and absent == counts.records:
        counts.names[column.name] = names_beside(fields, column.selector)


def _cast_usual(column: Column, values: Any) -> Any:
    """Cast a column at once; None if its cells must be cast one by one, as a few are."""
    cells = cast_many(values, column.type)
    if cells is None or not cells.null_count:
        return cells
    if column.default is not None:
        import pyarrow as pa

        return cells.fill_null(pa.scalar(column.default, type=cells.type))
    return None if column.required else cells


def _cast_cells(column: Column, rows: Iterable[Cell], typed: TypedRecords) -> Any:
    """Cast a column cell by cell, and note the fault of each record that has one, if it has not more than are kept."""
    import pyarrow as pa

    cells: list[Any] = []
    full = {number for number, fault in typed.faults.items() if fault.has_more}
    for record_number, record, fields in rows:
        try:
            cells.append(None if record_number in full else cell_of(column, record, fields))
        except BadRecord as error:
            _add_fault(typed, record_number, error)
            cells.append(None)
    return pa.array(cells, type=arrow_type(column.type))


def _without_faults(typed: TypedRecords, arrays: list[Any], columns: Sequence[Column]) -> TypedRecords:
    """Make a table of the columns, without the records at fault; order the faults by record."""
    import pyarrow as pa

    schema = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
    typed.table = pa.table(arrays, schema=schema) if arrays else empty_rows(len(typed.record_numbers))
    fits = [number not in typed.faults for number in typed.record_numbers] if typed.faults else []
    if not all(fits):
        typed.table = take_rows(typed.table, [*compress(range(len(fits)), fits)])
        typed.record_numbers = [*compress(typed.record_numbers, fits)]
        typed.fields = [*compress(typed.fields, fits)]
    typed.faults = dict(sorted(typed.faults.items()))
    return typed


def _decode_all(records: Sequence[Record], source: Source) -> TypedRecords:
    """The records with their fields decoded, without a table yet."""
    if not (source.only or any(record.fault for record in records)):
        fields = fields_together(records, source)
        if fields is not None:
            return TypedRecords(None, [*range(len(records))], fields)
    typed = TypedRecords(None, [], [])
    for record_number, record in enumerate(records):
        if source.only and not is_taken(record, source):
            typed.left_out.add(record_number)
            continue
        try:
            typed.fields.append(decoded_fields(record, source))
            typed.record_numbers.append(record_number)
        except BadRecord as error:
            typed.faults[record_number] = without_frames(error)
            if not record.fault:
                _add_further_faults(typed, record_number, record, source)
    return typed


def _add_further_faults(typed: TypedRecords, record_number: int, record: Record, source: Source) -> None:
    """Note what else is wrong with a record of which a field cannot be decoded, as far as the others tell."""
    fields, undecoded = record.fields, list[tuple[str | int, ...]]()
    for decoding in source.decode:
        if any(overlap(decoding.place.steps, place) for place in undecoded):
            continue
        try:
            fields = decode(fields, [decoding])
        except ConversionError as error:
            if undecoded:
                _add_fault(typed, record_number, bad_encoding(error))
            undecoded.append(decoding.place.steps)
    for column in source.columns or ():
        if not any(overlap(column.selector, place) for place in undecoded):
            try:
                cell_of(column, record, fields)
            except BadRecord as error:
                _add_fault(typed, record_number, error)


def _add_fault(typed: TypedRecords, record_number: int, error: BadRecord) -> None:
    """Note a fault that no other record has, beside those of its record."""
    first = typed.faults.setdefault(record_number, without_frames(error))
    if first is error:
        return
    first.has_more = len(first.others) >= MAX_FAULTS - 1 or typed.further_faults >= MAX_FURTHER_FAULTS
    if not first.has_more:
        first.others += (error,)
        typed.further_faults += 1


def is_taken(record: Record, source: Source) -> bool:
    """Whether `only` takes a record, as it came, or nobody knows, as it cannot be read."""
    if record.fault and record.fault.code != "no-such-field":
        return True
    try:
        return all(comparable(pick(record.fields, place.steps)) in values for place, values in source.only)
    except ConversionError:
        return False


def without_frames(error: BadRecord) -> BadRecord:
    """The error without its causes and frames, which would keep the records of its batch in memory."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
