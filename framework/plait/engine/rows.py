"""The rows of a batch, and the columns that their matches give them."""

from __future__ import annotations

from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plait.engine.match import take, take_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from plait.engine.answers import Answers
    from plait.engine.match import Matches
    from plait.language.spec import Source

NO_MATCH: list[int | None] = [None]


class Rows(Struct):
    """The rows of a batch: row n of `table` belongs to driving record `record_numbers[n]`."""

    table: Any
    record_numbers: list[int]


def without(rows: Rows, record_numbers: set[int]) -> Rows:
    """The rows of all other records."""
    other_rows = [row for row, number in enumerate(rows.record_numbers) if number not in record_numbers]
    if len(other_rows) == len(rows.record_numbers):
        return rows
    return rows_at(rows, other_rows)


def rows_at(rows: Rows, positions: list[int]) -> Rows:
    """The rows at these positions."""
    return Rows(take_rows(rows.table, positions), [rows.record_numbers[row] for row in positions])


def takes_latest(source: Source) -> bool:
    """Whether the latest of several matches is the one that joins."""
    rule = source.join
    return rule is not None and rule.shape == "columns" and rule.duplicates == "latest"


def latest(positions: list[int], times: Sequence[datetime | None]) -> int:
    """The position of the latest match."""
    return max(positions, key=lambda position: (times[position], position))


def assemble(rows: Rows, answers: Answers, source: Source, matches: Matches) -> Rows:
    """The rows with the columns of their matches."""
    if source.join and source.join.shape == "list":
        lists = _lists(answers, source, matches)
        return Rows(rows.table.append_column(source.name, lists), rows.record_numbers)
    positions = [of_row[0] if of_row else None for of_row in matches]
    several = [row for row, of_row in enumerate(matches) if len(of_row) > 1]
    if several and source.join and source.join.shape == "rows":
        rows = rows_at(rows, [row for row, of_row in enumerate(matches) for _ in of_row or NO_MATCH])
        ordered = _ordered(answers, source, matches)
        positions = [position for of_row in ordered for position in of_row or NO_MATCH]
    elif takes_latest(source):
        for row in several:
            positions[row] = latest(matches[row], answers.times)
    table = rows.table
    for name, column in _columns_at(answers, source, positions):
        table = table.append_column(name, column)
    return Rows(table, rows.record_numbers)


def _columns_at(answers: Answers, source: Source, positions: list[int | None]) -> Iterator[tuple[str, Any]]:
    """The columns of the answers at these positions, with the defaults of the source."""
    defaults = {c.name: c.default for c in source.columns or ()}
    for name in answers.table.column_names:
        yield name, take(answers.table.column(name), positions, defaults.get(name))


def _ordered(answers: Answers, source: Source, matches: Matches) -> Iterable[list[int]]:
    """The matches of each row, in a deterministic order even if the source promises none."""
    if source.open_lookup().order != "none":
        return matches
    rank = _ranks(answers.table)
    return (sorted(of_row, key=rank.__getitem__) for of_row in matches)


def _lists(answers: Answers, source: Source, matches: Matches) -> Any:
    """The matches of each row as a list of structs."""
    import pyarrow as pa

    table, positions = answers.table, [*chain(*_ordered(answers, source, matches))]
    arrays = [take(table.column(name), positions) for name in table.column_names]
    values = pa.nulls(len(positions))
    if arrays:
        values = pa.StructArray.from_arrays(arrays, fields=list(table.schema))
    starts = pa.array([*accumulate(map(len, matches), initial=0)], type=pa.int32())
    return pa.ListArray.from_arrays(starts, values)


def _ranks(table: Any) -> dict[int, int]:
    """The rank of each row among all, by its values."""
    rows = [
        tuple((v is not None, repr(v) if isinstance(v, (list, dict)) else v) for v in row.values())
        for row in table.to_pylist()
    ]
    return {row: rank for rank, row in enumerate(sorted(range(len(rows)), key=rows.__getitem__))}
