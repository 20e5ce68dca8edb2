"""Tell where each cell of an object's rows came from, and why it is null if it is."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from plait.engine.join import matches_of
from plait.engine.trace import TracingEngine, number_column
from plait.pipeline.causes import Cause, cause_of_miss, cause_of_null, key_of_row, place_of
from plait.plugin import BadRecord, GiveUp, PlaitError, TryAgain
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from plait.engine.engine import Engine
    from plait.engine.report import Outcome
    from plait.engine.transform import Batch
    from plait.language.spec import Source
    from plait.problems.problem import Problem

MOST = 20  # of an object's records, of rows, and of the elements of a list


class Cell(Struct, kw_only=True):
    """A value of a row, and the record of a source that it came from, in whose `field` it was.

    `place` is the URI of an object, or what the spec says of the place, such as its table; `key` is what was asked for,
    `line` the line of a log. Where the source gave no value, `cause` says why, `note` the same in words, and `default`
    whether the default stands there for it.
    """

    column: str
    value: Any
    source: str
    field: str
    place: str
    key: dict[str, Any]
    position: str = ""
    time: datetime | None = None
    line: str = ""
    cause: Cause | None = None
    default: bool = False
    note: str = ""


class Row(Struct, kw_only=True):
    """A row, or a record that gave none: its faults, and the cells of the look-ups whose lack of a match took it out."""

    position: str
    outcome: str
    faults: list[dict[str, str | None]]
    cells: list[Cell]


class Why(Struct, kw_only=True):
    """What would become of an object, and its first rows; `problems` are those of the object and of all its records."""

    object: str
    outcome: Outcome
    rows: list[Row]
    problems: list[Problem]


def why(engine: Engine, uri: str, column: str | None = None, position: str | None = None) -> Why:
    """Run an object, or its record at a position, write nothing, and tell of all cells, or of those of a column."""
    names = [field.name for field in engine.plan.fields]
    if column is not None and column not in names:
        help = help_for(column, names, "column", "`plait plan`")
        raise GiveUp(f"no column is called {excerpt(column)}", code="unknown-column", help=help)
    tracing = TracingEngine(engine)
    most = MOST if position is None else 1
    outcome = tracing.trace(uri, lambda record: position in (None, record.position), most)
    rows = _rows(engine, tracing, tracing.batch, column) if tracing.batch else ()
    return Why(object=uri, outcome=outcome, rows=[*islice(rows, MOST)], problems=tracing.report.problems)


def _rows(engine: Engine, tracing: TracingEngine, batch: Batch, column: str | None) -> Iterator[Row]:
    """The rows of each record, and what took out others."""
    rows, spec = batch.rows, engine.spec
    sources = [s for s in (spec.driver, *spec.lookups) if column is None or column in s.output_columns]
    for number, record in enumerate(tracing.records):
        for n in (n for n, owner in enumerate(rows.record_numbers) if owner == number):
            table = rows.table.slice(n, 1)
            (values,) = table.to_pylist(maps_as_pydicts="strict")
            cells = [cell for source in sources for cell in _cells(source, table, values, tracing)]
            cells = [cell for cell in cells if column in (None, cell.column.partition("[")[0])]
            yield Row(position=record.position, outcome="written", faults=[], cells=cells)
        error = batch.bad.get(number) or batch.retry.get(number) or batch.failed.get(number)
        misses = [miss for source in spec.lookups for miss in _misses(source, number, error, tracing)]
        if error or misses:
            outcome = "failed" if error else "dropped"
            if isinstance(error, TryAgain):
                outcome = "retry"
            elif isinstance(error, BadRecord) and spec.quarantine:
                outcome = "quarantined"
            yield Row(position=record.position, outcome=outcome, faults=_faults(error), cells=misses)


def _faults(error: PlaitError | None) -> list[dict[str, str | None]]:
    errors = error.faults if isinstance(error, BadRecord) else (error,) if error else ()
    names = ("code", "column", "message", "help", "note")
    return [{name: getattr(fault, name, None) for name in names} for fault in errors]


def _misses(source: Source, number: int, error: PlaitError | None, tracing: TracingEngine) -> list[Cell]:
    """The cells of a look-up whose lack of a match dropped rows of a record, or made its error."""
    rule, (table, answer) = source.join, tracing.asked[source.name]
    takes_out = rule and (rule.missing == "drop" if error is None else rule.missing != "keep")
    blamed = isinstance(error, BadRecord) and source.name in {fault.source for fault in error.faults}
    if isinstance(answer, BaseException) or not (takes_out or blamed):
        return []
    owners = table.column(number_column(tracing.spec.driver)).to_pylist()
    matches = enumerate(matches_of(table, answer[0], source))
    missed = [table.slice(n, 1) for n, positions in matches if owners[n] == number and not positions]
    missed = [row for row in missed if (*key_of_row(source, row).values(),) not in answer[0].faults]
    cells = [cell for row in missed for cell in _cells(source, row, {source.name: []}, tracing)]
    return [cell for n, cell in enumerate(cells) if cell not in cells[:n]]


def _cells(source: Source, table: Any, values: dict[str, Any], tracing: TracingEngine) -> Iterator[Cell]:
    """The cells of a source in the row of a table, whose `values` are by column."""
    key, number = key_of_row(source, table), number_column(source)
    cell = Cell(
        column=source.name,
        value=None,
        source=source.name,
        field=source.name,
        place=place_of(source, key),
        key=key,
    )
    if not source.join or source.join.shape != "list":
        yield from _cells_of_record(cell, source, table, values, tracing)
        return
    elements = values[source.name]
    shown = [{name: value for name, value in element.items() if name != number} for element in elements]
    cause, note = (None, "") if elements else cause_of_miss(tracing, source, table)
    yield structs.replace(cell, value=shown, cause=cause, note=note)
    for n, element in enumerate(elements[:MOST]):
        for part in _cells_of_record(cell, source, table, element, tracing):
            yield structs.replace(part, column=f"{source.name}[{n}].{part.column}")


def _cells_of_record(
    cell: Cell, source: Source, table: Any, values: dict[str, Any], tracing: TracingEngine
) -> Iterator[Cell]:
    """The cells of a source's columns, filled from one of its records or from none; each begins as a copy of `cell`."""
    number = values.get(number_column(source))
    if number is None:
        cell.cause, cell.note = cause_of_miss(tracing, source, table)
    else:
        record = tracing.record(source, number)
        cell.position, cell.time = record.position, record.time
        if source.join:
            cell.line = record.raw.decode("utf-8", "replace").rstrip("\r\n")
        elif record.item:
            cell.place = record.item.uri
            cell.position = f"{tracing.driver.position_word} {record.position}".strip()
    for column in source.columns or ():
        copy = structs.replace(cell, column=column.name, value=values.get(column.name), field=column.origin)
        if number is not None:
            copy.cause, copy.note = cause_of_null(tracing, source, column, table, number)
        copy.default = copy.cause is not None and column.default is not None
        yield copy
