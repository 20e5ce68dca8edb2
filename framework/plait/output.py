"""Joined rows as the plan declares them: the columns in its order, with its types and its nullability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.api import GiveUp

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from plait.plan import Plan


def with_columns(table: Any, names: Iterable[str]) -> Any:
    """The table with a column of nulls for each of these fields that no record has."""
    import pyarrow as pa

    for name in names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows))
    return table


def declare(table: Any, plan: Plan) -> Any:
    """The same data under the plan's schema; fields found at run time follow those declared.

    Raises GiveUp where two columns have one name, which a source without `columns` may bring about.
    """
    import pyarrow as pa

    names = table.column_names
    if twice := next((name for name in names if names.count(name) > 1), None):
        help = "declare the `columns` of each source"
        raise GiveUp(f"two sources give the column `{twice}`", code="duplicate-column", help=help)
    fields = [field.arrow(table.schema.field(field.name).type) for field in plan.fields]
    declared = {field.name for field in fields}
    fields += [table.schema.field(name) for name in names if name not in declared]
    fields = [_writable(field) for field in fields]
    columns = [_seen_as(table.column(field.name), field.type) for field in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields)) if fields else table


def _writable(found: pa.Field) -> pa.Field:
    """A field found at run time; raises GiveUp where it nests mappings without fields, which no file holds."""
    kinds = [found.type]
    for kind in kinds:
        kinds += [kind.field(n).type for n in range(kind.num_fields)]
        if str(kind) == "struct<>":
            message = f"the values of `{found.name}` have mappings without fields"
            raise GiveUp(message, code="undeclared-type", help="declare `columns`")
    return found


def _seen_as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """The column with another nullability of what it nests; its buffers are shared, its nulls looked for."""
    import pyarrow as pa

    if column.type == kind:
        return column
    return pa.chunked_array([chunk.view(kind) for chunk in column.chunks], kind)
