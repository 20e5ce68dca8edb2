"""Which rows of one table have the keys of another's, and rows of Arrow columns by position; pure.

Arrow's own `take` brings `pyarrow.compute`, which costs a cold start 20 ms to load; a few rows are cut out and put
together without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pyarrow as pa

    from plait.language.spec import Around

MANY = 64
FEW = 32
EVER = timedelta(days=3_660_000)  # more than there is between the first and the last moment


@dataclass(frozen=True)
class Matches:
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
        """The first match of each row, None where it has none."""
        pairs = zip(self.starts, self.counts, strict=False)
        return [self.positions[start] if count else None for start, count in pairs]

    def at(self, rows: Sequence[int]) -> Matches:
        """The matches of these rows."""
        kept = [self.of(row) for row in rows]
        return Matches([len(mine) for mine in kept], [*chain(*kept)])


def matches(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array | list[Any]]) -> Matches:
    """For each key on the left the positions of its equals on the right, in their order; null equals nothing.

    Keys are given by column. A column on the right that has no type is a list of Python values.
    """
    few = len(left[0]) + len(right[0]) < MANY
    return _one_by_one(left, right) if few else _at_once(left, right)


def _one_by_one(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array | list[Any]]) -> Matches:
    at: dict[tuple[Any, ...], list[int]] = {}
    for number, key in enumerate(zip(*map(_values, right), strict=True)):
        at.setdefault(key, []).append(number)
    keys = zip(*map(_values, left), strict=True)
    found = [[] if None in key else at.get(key, []) for key in keys]
    return Matches([len(mine) for mine in found], [*chain(*found)])


def _at_once(left: Sequence[pa.ChunkedArray], right: Sequence[pa.Array | list[Any]]) -> Matches:
    import pyarrow as pa
    import pyarrow.compute as pc

    near, far = _codes(left[0], right[0])
    for one, other in zip(left[1:], right[1:], strict=True):
        near, far = _both((near, far), _codes(one, other))
    order = pc.array_sort_indices(far).slice(0, len(far) - far.null_count)
    counts = far.take(order).value_counts().field("counts").cast(pa.int32())
    ends = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(counts)])
    found = pa.ListArray.from_arrays(ends, order).take(near)
    return Matches(pc.fill_null(pc.list_value_length(found), 0).to_pylist(), found.flatten().to_pylist())


def within(
    found: Matches, centres: pa.ChunkedArray, times: Sequence[datetime | None], around: Around
) -> Matches:
    """Only the matches whose time lies in the stretch around their row's own time, both ends included."""
    rows = [row for row, count in enumerate(found.counts) for _ in range(count)]
    if len(rows) + len(centres) < MANY:
        moments = centres.to_pylist()
        kept = [is_near(moments[r], times[n], around) for r, n in zip(rows, found.positions, strict=True)]
    else:
        kept = _near(centres, rows, times, found.positions, around)
    counts = [0] * len(found.counts)
    for row, near in zip(rows, kept, strict=True):
        counts[row] += near
    return Matches(counts, [one for one, near in zip(found.positions, kept, strict=True) if near])


def is_near(centre: datetime | None, time: datetime | None, around: Around) -> bool:
    """Whether a time lies in the stretch around another, both ends included."""
    if centre is None or time is None:
        return False
    return -min(around.before, EVER) <= time - centre <= around.after


def _near(
    centres: pa.ChunkedArray,
    rows: list[int],
    times: Sequence[datetime | None],
    positions: list[int],
    around: Around,
) -> list[bool]:
    import pyarrow as pa
    import pyarrow.compute as pc

    at = pa.array(times, type=centres.type).take(pa.array(positions, pa.int64()))
    apart = pc.subtract(at, centres.take(pa.array(rows, pa.int64())))
    after = pc.greater_equal(apart, pa.scalar(-min(around.before, EVER)))
    near = pc.and_(after, pc.less_equal(apart, pa.scalar(min(around.after, EVER))))
    kept: list[bool] = pc.fill_null(near, fill_value=False).to_pylist()
    return kept


def _values(column: pa.ChunkedArray | pa.Array | list[Any]) -> list[Any]:
    values: list[Any] = column if isinstance(column, list) else column.to_pylist()
    return values


def _codes(left: pa.ChunkedArray, right: pa.Array | list[Any]) -> tuple[pa.Array, pa.Array]:
    """Numbers for the values of both sides, equal where the values are, from 0 on without a gap on the right."""
    import pyarrow.compute as pc

    if isinstance(right, list) or left.type != right.type or not _exact(right.type):
        return _codes_of_values(left.to_pylist(), _values(right))
    encoded = right.dictionary_encode()
    return pc.index_in(left, encoded.dictionary).combine_chunks(), encoded.indices


def _exact(kind: pa.DataType) -> bool:
    """Whether Arrow's equality of a type is Python's: not for floats, whose zeros have a sign."""
    import pyarrow as pa

    types = pa.types
    plain = types.is_integer(kind) or types.is_string(kind) or types.is_boolean(kind) or types.is_binary(kind)
    return bool(plain or types.is_temporal(kind) or types.is_decimal(kind))


def _codes_of_values(left: list[Any], right: list[Any]) -> tuple[pa.Array, pa.Array]:
    import pyarrow as pa

    codes: dict[Any, int] = {}
    far = [None if value is None else codes.setdefault(value, len(codes)) for value in right]
    near = [None if value is None else codes.get(value) for value in left]
    return pa.array(near, pa.int32()), pa.array(far, pa.int32())


def _both(one: tuple[pa.Array, pa.Array], other: tuple[pa.Array, pa.Array]) -> tuple[pa.Array, pa.Array]:
    """Numbers for pairs of values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    size = pa.scalar(len(other[1]) + 1, pa.int64())
    near, far = (
        pc.add(pc.multiply(a.cast(pa.int64()), size), b.cast(pa.int64()))
        for a, b in zip(one, other, strict=True)
    )
    encoded = far.dictionary_encode()
    return pc.index_in(near, encoded.dictionary), encoded.indices


def take(column: Any, positions: Sequence[int | None], default: Any = None) -> Any:
    """The values of an array or a chunked array at these positions, as an array; `default` is there for every null."""
    import pyarrow as pa

    if len(positions) > FEW or not positions:
        found = _whole(column).take(pa.array(positions, type=pa.int64()))
        filled = default is not None and found.null_count
        return found.fill_null(pa.scalar(default, type=found.type)) if filled else found
    nothing = pa.array([default], type=column.type)
    rows = [None if n is None else column.slice(n, 1) for n in positions]
    found = [nothing if row is None or row.null_count else _whole(row) for row in rows]
    return pa.concat_arrays(found)


def take_rows(table: Any, positions: Sequence[int]) -> Any:
    """The rows of a table at these positions."""
    import pyarrow as pa

    if len(positions) > FEW or not positions or not table.num_columns:
        return table.take(pa.array(positions, type=pa.int64()))
    return pa.table([take(column, positions) for column in table.columns], schema=table.schema)


def _whole(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column
