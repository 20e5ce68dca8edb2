"""The rows of a batch: which answers match them by key and time, and the columns that their matches give them; pure.

Arrow's own `take` brings `pyarrow.compute`, which costs a cold start 40 ms to load; a few rows are cut out and put
together instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from plait.engine.answers import Answers
    from plait.language.spec import Source, TimeWindow

NO_MATCH: list[int | None] = [None]
FEW = 32  # up to this number, rows are taken without `pyarrow.compute`
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MOMENT, LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TimeSpan = tuple[int, int]  # microseconds since 1970, both ends included
Matches = Sequence[Sequence[int]]  # for each row, the positions of the answers that match it


class Rows(Struct):
    """The rows of a batch: row n of `table` belongs to driving record `record_numbers[n]`."""

    table: Any
    record_numbers: list[int]


def empty_rows(count: int) -> Any:
    """A table with this number of rows and no columns."""
    import pyarrow as pa

    return pa.table({"$": pa.nulls(count)}).select([])


def without(rows: Rows, record_numbers: set[int]) -> Rows:
    """The rows of all other records."""
    if not record_numbers:
        return rows
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


def latest(positions: Sequence[int], times: Sequence[datetime | None]) -> int:
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


def _ordered(answers: Answers, source: Source, matches: Matches) -> Iterable[Sequence[int]]:
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


def match_keys(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array]) -> Matches:
    """For each key on the left the positions of its equals on the right, in their order; null equals nothing.

    Keys are given by column.
    """
    positions: dict[Any, Sequence[int]] | None = _positions_of_runs(right)
    if positions is None:
        several: dict[Any, list[int]] = {}
        for position, key in enumerate(_keys(right)):
            several.setdefault(key, []).append(position)
        positions = {**several}
    nothing: Sequence[int] = []
    positions[None] = nothing
    return [positions.get(key, nothing) for key in _keys(left)]


def _positions_of_runs(columns: Sequence[pa.Array]) -> dict[Any, Sequence[int]] | None:
    """The positions of each key, of many keys in one column whose equals stand together; None for others."""
    if len(columns) != 1 or len(columns[0]) <= FEW:
        return None
    import pyarrow.compute as pc

    runs = pc.run_end_encode(columns[0])
    ends, keys = runs.run_ends.to_pylist(), runs.values.to_pylist()
    positions: dict[Any, Sequence[int]] = dict(zip(keys, map(range, [0, *ends], ends), strict=False))
    return positions if len(positions) == len(ends) else None


def _keys(columns: Sequence[pa.ChunkedArray | pa.Array]) -> list[Any]:
    """The key of each row, None where a part of it is null."""
    values: list[list[Any]] = [column.to_pylist() for column in columns]
    if len(values) == 1:
        return values[0]
    return [None if None in key else key for key in zip(*values, strict=True)]


def within(
    matches: Matches, centres: pa.ChunkedArray, times: Sequence[datetime | None], window: TimeWindow
) -> Matches:
    """Only the matches whose time lies in the window around their row's own time, both ends included.

    `centres` has the time of each row, `times` that of each position.
    """
    before, after = window.before // MICROSECOND, window.after // MICROSECOND
    moments = [None if time is None else (time - EPOCH) // MICROSECOND for time in times]
    near: list[list[int]] = []
    for positions, centre in zip(matches, microseconds(centres), strict=True):
        timed = positions if centre is not None else ()
        near.append([p for p in timed if (at := moments[p]) is not None and -before <= at - centre <= after])
    return near


def is_near(centre: datetime | None, time: datetime | None, window: TimeWindow) -> bool:
    """Whether a time lies in the window around another, both ends included."""
    if centre is None or time is None:
        return False
    distance = (time - centre) // MICROSECOND
    return -(window.before // MICROSECOND) <= distance <= window.after // MICROSECOND


def microseconds(times: pa.ChunkedArray) -> list[Any]:
    """The times of a column as microseconds since 1970; null stays None."""
    numbers: list[Any] = times.combine_chunks().view("int64").to_pylist()
    return numbers


def moment(number: int) -> datetime:
    """The time so many microseconds after 1970, the first or the last there is where that is beyond them."""
    try:
        return EPOCH + number * MICROSECOND
    except OverflowError:
        return FIRST_MOMENT if number < 0 else LAST_MOMENT


def merge_spans(spans: Iterable[TimeSpan]) -> list[TimeSpan]:
    """Merge spans that overlap, so that no record lies within two of them."""
    merged: list[TimeSpan] = []
    for since, until in sorted(spans):
        if merged and since <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(until, merged[-1][1])
        else:
            merged.append((since, until))
    return merged


def take(column: Any, positions: Sequence[int | None], default: Any = None) -> Any:
    """The values of an array or a chunked array at these positions, as an array; `default` is there for every null."""
    import pyarrow as pa

    if len(positions) > FEW or not positions:
        values = _as_array(column).take(pa.array(positions, type=pa.int64()))
        has_gaps = default is not None and values.null_count
        return values.fill_null(pa.scalar(default, type=values.type)) if has_gaps else values
    null = pa.array([default], type=column.type)
    cells = [None if position is None else column.slice(position, 1) for position in positions]
    arrays = [null if cell is None or cell.null_count else _as_array(cell) for cell in cells]
    return pa.concat_arrays(arrays)


def take_rows(table: Any, positions: Sequence[int]) -> Any:
    """The rows of a table at these positions."""
    import pyarrow as pa

    if len(positions) > FEW or not positions or not table.num_columns:
        return table.take(pa.array(positions, type=pa.int64()))
    return pa.table([take(column, positions) for column in table.columns], schema=table.schema)


def _as_array(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column
