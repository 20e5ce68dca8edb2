"""Raw records to one Arrow table of declared types; a record that does not fit is set aside with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

from plait.engine.infer import infer, kind, misfit
from plait.language.selectors import OBJECT_FACTS
from plait.plugin import BadRecord, Record, RecordTable
from plait.problems.errors import IncompatibleTypes
from plait.problems.problem import excerpt
from plait.values.arrow_casts import array
from plait.values.convert import ConversionError, convert, saying
from plait.values.decode import decode
from plait.values.types import to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.spec import Column, Source


MANY = 32
NOBODY = Record(fields={})


@dataclass(slots=True)
class Cast:
    """Records with their types: row n of `table` is record `index[n]`; `faults` has the others."""

    table: Any
    index: list[int]
    fields: list[Mapping[str, Any]]
    faults: dict[int, BadRecord] = field(default_factory=dict)


def cast(records: Sequence[Record] | RecordTable, source: Source) -> Cast:
    """Decode each record and cast its columns; a block is cast only for a flat source, its `fields` are not told."""
    if isinstance(records, RecordTable):
        return _by_block(records, source)
    if source.columns is None:
        return _as_found(records, source)
    return _by_column(records, source) if len(records) >= MANY else _by_record(records, source)


def is_flat(source: Source) -> bool:
    """Whether each column is declared and is a field as it is."""
    if source.columns is None or source.decode:
        return False
    return all(len(c.selector) == 1 and c.origin not in OBJECT_FACTS for c in source.columns)


def _by_record(records: Sequence[Record], source: Source) -> Cast:
    import pyarrow as pa

    assert source.columns is not None  # noqa: S101 - `cast` looked
    values: list[list[Any]] = [[] for _ in source.columns]
    result = Cast(None, [], [])
    for position, record in enumerate(records):
        try:
            fields = _decoded(record, source)
            row = [_cell(column, record, fields) for column in source.columns]
        except BadRecord as error:
            result.faults[position] = error
            continue
        for cells, cell in zip(values, row, strict=True):
            cells.append(cell)
        result.index.append(position)
        result.fields.append(fields)
    schema = pa.schema([(c.name, to_arrow(c.type)) for c in source.columns])
    arrays = [pa.array(v, type=f.type) for v, f in zip(values, schema, strict=True)]
    result.table = pa.table(arrays, schema=schema) if arrays else bare_rows(len(result.index))
    return result


def _by_column(records: Sequence[Record], source: Source) -> Cast:
    """The same, column by column; one with an unusual value is cast cell by cell, as `_by_record` does."""
    result = _decoded_all(records, source)
    arrays = []
    for column in source.columns or ():
        values = _picked(column, records, result)
        usual = None if values is None else _usual(column, values)
        rows = ((n, records[n], fields) for n, fields in zip(result.index, result.fields, strict=True))
        arrays.append(_unusual(column, rows, result) if usual is None else usual)
    return _finished(result, arrays, source)


def _by_block(block: RecordTable, source: Source) -> Cast:
    """The same for the records that the rows of a table are."""
    rows, arrays = block.table.num_rows, []
    result = Cast(None, [*range(rows)], [])
    for column in source.columns or ():
        name = str(column.selector[0])
        known = name in block.table.column_names
        values = block.table.column(name).combine_chunks() if known else [None] * rows
        usual = _usual(column, values)
        if usual is None:
            cells = enumerate(values if isinstance(values, list) else values.to_pylist())
            usual = _unusual(column, ((n, NOBODY, {name: cell}) for n, cell in cells), result)
        arrays.append(usual)
    return _finished(result, arrays, source)


def _usual(column: Column, values: Any) -> Any:
    """The column's array, or None where a cell needs a look of its own."""
    cells = array(values, column.type)
    if cells is None or not cells.null_count:
        return cells
    if column.default is not None:
        import pyarrow as pa

        return cells.fill_null(pa.scalar(column.default, type=cells.type))
    return None if column.required else cells


def _unusual(column: Column, rows: Iterable[tuple[int, Record, Mapping[str, Any]]], result: Cast) -> Any:
    import pyarrow as pa

    cells = []
    for position, record, fields in rows:
        try:
            cells.append(_cell(column, record, fields))
        except BadRecord as error:
            result.faults.setdefault(position, error)
            cells.append(None)
    return pa.array(cells, type=to_arrow(column.type))


def _picked(column: Column, records: Sequence[Record], result: Cast) -> list[Any] | None:
    """What `pick` gives for each record, or None where it may refuse one."""
    if column.origin in OBJECT_FACTS:
        return [_fact(column.origin, records[position]) for position in result.index]
    values: list[Any] = result.fields
    for step in column.selector:
        if isinstance(step, int) or {type(value) for value in values} - {dict, type(None)}:
            return None
        values = [value if value is None else value.get(step) for value in values]
    return values


def _finished(result: Cast, arrays: list[Any], source: Source) -> Cast:
    """The rows without a fault; the faults in the order of the records."""
    import pyarrow as pa

    schema = pa.schema([(c.name, to_arrow(c.type)) for c in source.columns or ()])
    result.table = pa.table(arrays, schema=schema) if arrays else bare_rows(len(result.index))
    kept = [position not in result.faults for position in result.index]
    if not all(kept):
        result.table = result.table.filter(pa.array(kept))
        result.index = [*compress(result.index, kept)]
        result.fields = [*compress(result.fields, kept)]
    result.faults = dict(sorted(result.faults.items()))
    return result


def bare_rows(rows: int) -> Any:
    """A table of so many rows without columns."""
    import pyarrow as pa

    return pa.table({"$": pa.nulls(rows)}).select([])


def _decoded_all(records: Sequence[Record], source: Source) -> Cast:
    """The records with their fields decoded, without a table yet."""
    result = Cast(None, [], [])
    for position, record in enumerate(records):
        try:
            result.fields.append(_decoded(record, source))
            result.index.append(position)
        except BadRecord as error:
            result.faults[position] = error
    return result


def _decoded(record: Record, source: Source) -> Mapping[str, Any]:
    if record.fault:
        raise record.fault
    try:
        return decode(record.fields, source.decode)
    except ConversionError as error:
        raise BadRecord(str(error), code="bad-encoding", help=error.help, bare=error.bare) from error


def _cell(column: Column, record: Record, fields: Mapping[str, Any]) -> Any:
    try:
        fact = column.origin in OBJECT_FACTS
        value = _fact(column.origin, record) if fact else pick(fields, column.selector)
        value = convert(value, column.type)
    except ConversionError as error:
        told, bare = (f"column `{column.name}`: {text}" for text in (error, error.bare))
        raise BadRecord(told, code="bad-value", help=error.help, bare=bare) from error
    if value is None:
        value = column.default
    if value is None and column.required:
        raise BadRecord(f"column `{column.name}` is required and null", code="required-null")
    return value


def _fact(word: str, record: Record) -> Any:
    item = record.item
    return item and {"$object": item.uri, "$modified": item.modified, "$etag": item.etag}[word]


def pick(fields: Any, steps: Sequence[str | int]) -> Any:
    """The value at a place of a record, None where there is none; raises ConversionError where the way is barred."""
    value = fields
    for step in steps:
        if isinstance(step, int):
            _expect(value, list, "a list", step)
            value = value[step] if step < len(value) else None
        else:
            _expect(value, Mapping, "a mapping", step)
            value = value.get(step)
        if value is None:
            return None
    return value


def _expect(value: Any, kind: type, words: str, step: str | int) -> None:
    if not isinstance(value, kind):
        raise saying(f"expected {words} with {excerpt(str(step))} in it, got {{}}", value)


def _as_found(records: Sequence[Record], source: Source) -> Cast:
    """Without declared columns each field found is a column; raises IncompatibleTypes where records do not fit together."""
    result = _decoded_all(records, source)
    keys = {right for _, right in source.join.on} if source.join else set()
    keys |= set(source.connector.row_columns(source.options)) if source.join else set()
    while result.table is None:
        try:
            result.table = _inferred(result, keys)
        except IncompatibleTypes as error:
            if not _set_aside(result, error.field):
                error.kinds = kinds(result, error.field)
                raise
    result.faults = dict(sorted(result.faults.items()))
    return result


def _inferred(result: Cast, keys: set[str]) -> Any:
    import pyarrow as pa

    names = dict.fromkeys(name for fields in result.fields for name in fields if name not in keys)
    arrays = {name: infer(name, [fields.get(name) for fields in result.fields]) for name in names}
    return pa.table(arrays) if arrays else bare_rows(len(result.index))


def _set_aside(result: Cast, name: str) -> bool:
    """Take out the records whose field has no type even alone; whether there are any."""
    bad = [misfit(name, fields) for fields in result.fields]
    for position, error in zip(result.index, bad, strict=True):
        if error:
            result.faults[position] = BadRecord(error.message, code=error.code, help=error.help)
    kept = [error is None for error in bad]
    result.index = [*compress(result.index, kept)]
    result.fields = [*compress(result.fields, kept)]
    return not all(kept)


def kinds(result: Cast, name: str) -> tuple[str, ...]:
    """The type of an undeclared field in each record, empty where it has none or is at fault."""
    found = dict.fromkeys(result.faults, "")
    found |= {n: kind(name, fields) for n, fields in zip(result.index, result.fields, strict=True)}
    return tuple(found[position] for position in sorted(found))
