"""Match keys and times, and take rows of Arrow tables at positions; pure.

Arrow's own `take` brings `pyarrow.compute`, which costs a cold start 40 ms to load; a few rows are cut out and put
together instead.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from plait.language.spec import TimeWindow

FEW = 32  # up to this number, rows are taken without `pyarrow.compute`
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Matches = list[list[int]]  # for each row, the positions of the answers that match it


def match_keys(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array]) -> Matches:
    """For each key on the left the positions of its equals on the right, in their order; null equals nothing.

    Keys are given by column.
    """
    positions: dict[tuple[Any, ...], list[int]] = {}
    for position, key in enumerate(_keys(right)):
        positions.setdefault(key, []).append(position)
    return [[] if None in key else positions.get(key, []) for key in _keys(left)]


def _keys(columns: Sequence[pa.ChunkedArray | pa.Array]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in columns), strict=True)


def within(
    matches: Matches, centres: pa.ChunkedArray, times: Sequence[datetime | None], window: TimeWindow
) -> Matches:
    """Only the matches whose time lies in the window around their row's own time, both ends included.

    `centres` has the time of each row, `times` that of each position.
    """
    before, after = window.before // MICROSECOND, window.after // MICROSECOND
    moments = [None if time is None else (time - EPOCH) // MICROSECOND for time in times]
    near: Matches = []
    for positions, centre in zip(matches, microseconds(centres), strict=True):
        timed = [] if centre is None else [(p, moments[p]) for p in positions]
        near.append([p for p, moment in timed if moment is not None and -before <= moment - centre <= after])
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
