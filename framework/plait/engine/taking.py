"""Rows of Arrow columns by position; pure.

Arrow's own `take` brings `pyarrow.compute`, which costs a cold start 20 ms to load; a few rows are cut out and put
together without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW = 32


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
