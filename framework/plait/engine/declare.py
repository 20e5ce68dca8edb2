"""Give joined rows the columns that the plan declares: in its order, with its types and its nullability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from plait.plan.plan import Plan


def declare(table: Any, plan: Plan) -> Any:
    """Give a table the schema of the plan."""
    import pyarrow as pa

    fields = [field.arrow() for field in plan.fields]
    columns = [_with_type(table.column(field.name), field.type) for field in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _with_type(column: pa.ChunkedArray, arrow_type: pa.DataType) -> pa.ChunkedArray:
    """Change the nullability of a column's nested fields; checks for nulls and shares the buffers."""
    import pyarrow as pa

    if column.type == arrow_type:
        return column
    return pa.chunked_array([chunk.view(arrow_type) for chunk in column.chunks], arrow_type)
