"""Match the rows of two tables by their keys, and take rows of Arrow columns by position; pure.

Arrow's own `take` brings `pyarrow.compute`, which costs a cold start 20 ms to load; a few rows are cut out and put
together without it.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from itertools import accumulate, chain, compress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pyarrow as pa

    from plait.language.spec import TimeWindow

MANY = 64  # from this number of rows on, Arrow matches them
FEW = 32  # up to this number, rows are taken without `pyarrow.compute`
EVER = timedelta(days=3_660_000)  # longer than from the first to the last datetime


class Matches(Struct, frozen=True, dict=True):
    """The matches of rows: row n has `counts[n]` of them, whose positions stand one after the other."""

    counts: list[int]
    positions: list[int]

    @cached_property
    def starts(self) -> list[int]:
        """Where the positions of each row begin, and where those of the last end."""
        return [*accumulate(self.counts, initial=0)]

    def of(self, row: int) -> list[int]:
        """The positions of one row."""
        return self.positions[self.starts[row] : self.starts[row + 1]]

    def firsts(self) -> list[int | None]:
        """The first match of each row, None if it has none."""
        pairs = zip(self.starts, self.counts, strict=False)
        return [self.positions[start] if count else None for start, count in pairs]

    def at(self, rows: Sequence[int]) -> Matches:
        """The matches of these rows."""
        return _matches_of([self.of(row) for row in rows])


def _matches_of(positions: list[list[int]]) -> Matches:
    return Matches([len(of_row) for of_row in positions], [*chain(*positions)])


def match_keys(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array | list[Any]]) -> Matches:
    """For each key on the left the positions of its equals on the right, in their order; null equals nothing.

    Keys are given by column. A column on the right that has no type is a list of Python values.
    """
    few = len(left[0]) + len(right[0]) < MANY
    return _match_by_dict(left, right) if few else _match_by_arrow(left, right)


def _match_by_dict(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array | list[Any]]) -> Matches:
    positions: dict[tuple[Any, ...], list[int]] = {}
    for position, key in enumerate(zip(*map(_python_values, right), strict=True)):
        positions.setdefault(key, []).append(position)
    keys = zip(*map(_python_values, left), strict=True)
    return _matches_of([[] if None in key else positions.get(key, []) for key in keys])


def _match_by_arrow(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array | list[Any]]) -> Matches:
    import pyarrow as pa
    import pyarrow.compute as pc

    left_codes, right_codes = _codes(left[0], right[0])
    for left_column, right_column in zip(left[1:], right[1:], strict=True):
        codes = _codes(left_column, right_column)
        left_codes, right_codes = _codes_of_pairs((left_codes, right_codes), codes)
    order = pc.array_sort_indices(right_codes).slice(0, len(right_codes) - right_codes.null_count)
    counts = right_codes.take(order).value_counts().field("counts").cast(pa.int32())
    ends = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(counts)])
    matches = pa.ListArray.from_arrays(ends, order).take(left_codes)
    return Matches(pc.fill_null(pc.list_value_length(matches), 0).to_pylist(), matches.flatten().to_pylist())


def within(
    matches: Matches, centres: pa.ChunkedArray, times: Sequence[datetime | None], window: TimeWindow
) -> Matches:
    """Only the matches whose time lies in the window around their row's own time, both ends included.

    `centres` has the time of each row, `times` that of each position.
    """
    rows = [row for row, count in enumerate(matches.counts) for _ in range(count)]
    if len(rows) + len(centres) < MANY:
        moments = centres.to_pylist()
        pairs = zip(rows, matches.positions, strict=True)
        near = [is_near(moments[row], times[position], window) for row, position in pairs]
    else:
        near = _are_near(centres, rows, times, matches.positions, window)
    counts = [0] * len(matches.counts)
    for row, is_match in zip(rows, near, strict=True):
        counts[row] += is_match
    return Matches(counts, [*compress(matches.positions, near)])


def is_near(centre: datetime | None, time: datetime | None, window: TimeWindow) -> bool:
    """Whether a time lies in the window around another, both ends included."""
    if centre is None or time is None:
        return False
    return -min(window.before, EVER) <= time - centre <= window.after


def _are_near(
    centres: pa.ChunkedArray,
    rows: list[int],
    times: Sequence[datetime | None],
    positions: list[int],
    window: TimeWindow,
) -> list[bool]:
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = pa.array(times, type=centres.type).take(pa.array(positions, pa.int64()))
    distances = pc.subtract(moments, centres.take(pa.array(rows, pa.int64())))
    not_before = pc.greater_equal(distances, pa.scalar(-min(window.before, EVER)))
    are_near = pc.and_(not_before, pc.less_equal(distances, pa.scalar(min(window.after, EVER))))
    answers: list[bool] = pc.fill_null(are_near, fill_value=False).to_pylist()
    return answers


def _python_values(column: pa.ChunkedArray | pa.Array | list[Any]) -> list[Any]:
    values: list[Any] = column if isinstance(column, list) else column.to_pylist()
    return values


def _codes(left: pa.ChunkedArray, right: pa.Array | list[Any]) -> tuple[pa.Array, pa.Array]:
    """Numbers for the values of both sides, equal where the values are, from 0 on without a gap on the right."""
    import pyarrow.compute as pc

    if isinstance(right, list) or left.type != right.type or not _equals_as_python(right.type):
        return _codes_of_python_values(left.to_pylist(), _python_values(right))
    encoded = right.dictionary_encode()
    return pc.index_in(left, encoded.dictionary).combine_chunks(), encoded.indices


def _equals_as_python(arrow_type: pa.DataType) -> bool:
    """Whether Arrow and Python agree on which values of a type are equal; for floats they do not, as zeros have a sign."""
    import pyarrow as pa

    t = pa.types
    checks = (t.is_integer, t.is_string, t.is_boolean, t.is_binary, t.is_temporal, t.is_decimal)
    return any(is_type(arrow_type) for is_type in checks)


def _codes_of_python_values(left: list[Any], right: list[Any]) -> tuple[pa.Array, pa.Array]:
    import pyarrow as pa

    codes: dict[Any, int] = {}
    right_codes = [None if value is None else codes.setdefault(value, len(codes)) for value in right]
    left_codes = [None if value is None else codes.get(value) for value in left]
    return pa.array(left_codes, pa.int32()), pa.array(right_codes, pa.int32())


def _codes_of_pairs(
    first: tuple[pa.Array, pa.Array], second: tuple[pa.Array, pa.Array]
) -> tuple[pa.Array, pa.Array]:
    """Numbers for pairs of values, from the codes of either; each is of the left and of the right side."""
    import pyarrow as pa
    import pyarrow.compute as pc

    size = pa.scalar(len(second[1]) + 1, pa.int64())
    left, right = (
        pc.add(pc.multiply(a.cast(pa.int64()), size), b.cast(pa.int64()))
        for a, b in zip(first, second, strict=True)
    )
    encoded = right.dictionary_encode()
    return pc.index_in(left, encoded.dictionary), encoded.indices


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
