"""Raw records to one Arrow table of declared types; a record that does not fit is set aside with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

from plait.api import BadRecord, GiveUp, Record
from plait.columns import array
from plait.decode import decode
from plait.problems import excerpt
from plait.spec import OBJECT_FACTS
from plait.types import to_arrow
from plait.values import Misfit, convert, describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.spec import Column, Source


MANY = 32


@dataclass(slots=True)
class Cast:
    """Records with their types: row n of `table` is record `index[n]`; `faults` has the others."""

    table: Any
    index: list[int]
    fields: list[Mapping[str, Any]]
    faults: dict[int, BadRecord] = field(default_factory=dict)


def cast(records: Sequence[Record], source: Source) -> Cast:
    """Decode each record and cast its columns."""
    if source.columns is None:
        return _as_found(records, source)
    return _by_column(records, source) if len(records) >= MANY else _by_record(records, source)


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
    result.table = pa.table(arrays, schema=schema) if arrays else _rows_only(len(result.index))
    return result


def _by_column(records: Sequence[Record], source: Source) -> Cast:
    """The same, column by column; one with an unusual value is cast cell by cell, as `_by_record` does."""
    import pyarrow as pa

    result = Cast(None, [], [])
    for position, record in enumerate(records):
        try:
            result.fields.append(_decoded(record, source))
            result.index.append(position)
        except BadRecord as error:
            result.faults[position] = error
    columns = source.columns or ()
    arrays = []
    for column in columns:
        usual = _usual(column, records, result)
        arrays.append(_unusual(column, records, result) if usual is None else usual)
    schema = pa.schema([(c.name, to_arrow(c.type)) for c in columns])
    result.table = pa.table(arrays, schema=schema) if arrays else _rows_only(len(result.index))
    return _good(result)


def _usual(column: Column, records: Sequence[Record], result: Cast) -> Any:
    """The column's array, or None where a cell needs a look of its own."""
    values = _picked(column, records, result)
    cells = None if values is None else array(values, column.type)
    if cells is None or not cells.null_count:
        return cells
    if column.default is not None:
        import pyarrow as pa

        return cells.fill_null(pa.scalar(column.default, type=cells.type))
    return None if column.required else cells


def _unusual(column: Column, records: Sequence[Record], result: Cast) -> Any:
    import pyarrow as pa

    cells = []
    for position, fields in zip(result.index, result.fields, strict=True):
        try:
            cells.append(_cell(column, records[position], fields))
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


def _good(result: Cast) -> Cast:
    """The rows without a fault; the faults in the order of the records."""
    import pyarrow as pa

    kept = [position not in result.faults for position in result.index]
    if not all(kept):
        result.table = result.table.filter(pa.array(kept))
        result.index = [*compress(result.index, kept)]
        result.fields = [*compress(result.fields, kept)]
    result.faults = dict(sorted(result.faults.items()))
    return result


def _rows_only(rows: int) -> Any:
    import pyarrow as pa

    return pa.table({"$": pa.nulls(rows)}).select([])


def _decoded(record: Record, source: Source) -> Mapping[str, Any]:
    if record.fault:
        raise record.fault
    try:
        return decode(record.fields, source.decode)
    except Misfit as error:
        raise BadRecord(str(error), code="bad-encoding", help=error.help) from error


def _cell(column: Column, record: Record, fields: Mapping[str, Any]) -> Any:
    try:
        fact = column.origin in OBJECT_FACTS
        value = _fact(column.origin, record) if fact else pick(fields, column.selector)
        value = convert(value, column.type)
    except Misfit as error:
        raise BadRecord(f"column `{column.name}`: {error}", code="bad-value", help=error.help) from error
    if value is None:
        value = column.default
    if value is None and column.required:
        raise BadRecord(f"column `{column.name}` is required and null", code="required-null")
    return value


def _fact(word: str, record: Record) -> Any:
    item = record.item
    return item and {"$object": item.uri, "$modified": item.modified, "$etag": item.etag}[word]


def pick(fields: Any, steps: Sequence[str | int]) -> Any:
    """The value at a place of a record, None where there is none; raises Misfit where the way is barred."""
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
        raise Misfit(f"expected {words} with {excerpt(str(step))} in it, got {describe(value)}")


def _as_found(records: Sequence[Record], source: Source) -> Cast:
    """Without declared columns each field found is a column, typed by its values."""
    result = Cast(None, [], [])
    for position, record in enumerate(records):
        try:
            result.fields.append(_decoded(record, source))
            result.index.append(position)
        except BadRecord as error:
            result.faults[position] = error
    keys = {right for _, right in source.join.on} if source.join else set()
    keys |= set(source.connector.row_columns(source.options)) if source.join else set()
    names = dict.fromkeys(name for fields in result.fields for name in fields if name not in keys)
    result.table = _infer(source, {n: [f.get(n) for f in result.fields] for n in names}, len(result.index))
    return result


def _infer(source: Source, columns: dict[str, list[Any]], rows: int) -> Any:
    import pyarrow as pa

    arrays = {}
    for name, values in columns.items():
        try:
            arrays[name] = pa.array([_plain(value) for value in values])
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            what = "have too many digits" if isinstance(error, OverflowError) else "are of several types"
            message = f"the values of `{name}` in `{source.name}` {what}"
            raise GiveUp(message, code="undeclared-type", help="declare `columns`") from error
    return pa.table(arrays) if arrays else _rows_only(rows)


def _plain(value: Any) -> Any:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
