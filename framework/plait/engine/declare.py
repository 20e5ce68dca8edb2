"""Give joined rows the columns that the plan declares: in its order, with its types and its nullability."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from plait.problems.errors import IncompatibleTypes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from plait.plan.plan import Plan


def with_columns(table: Any, names: Iterable[str]) -> Any:
    """Add a column of nulls for each of these fields that no record has."""
    import pyarrow as pa

    for name in names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows))
    return table


def declare(table: Any, plan: Plan) -> Any:
    """Give a table the schema of the plan; fields found at run time follow those declared.

    Raises IncompatibleTypes where two columns have one name, which a source without `columns` may bring about.
    """
    import pyarrow as pa

    names = table.column_names
    require_distinct(names)
    fields = [field.arrow(table.schema.field(field.name).type) for field in plan.fields]
    declared = {field.name for field in fields}
    fields += [table.schema.field(name) for name in names if name not in declared]
    columns = [_with_type(table.column(field.name), field.type) for field in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields)) if fields else table


def require_distinct(names: Sequence[str]) -> None:
    """Raise IncompatibleTypes where a name stands twice."""
    duplicate = next((name for name, count in Counter(names).items() if count > 1), None)
    if duplicate is not None:
        message = f"two sources give the column `{duplicate}`"
        help = "declare the `columns` of each source"
        raise IncompatibleTypes(message, field=duplicate, code="duplicate-column", help=help)


def concat_tables(tables: Sequence[Any]) -> Any:
    """Concatenate tables; a column whose types do not fit together becomes text."""
    import pyarrow as pa

    if len(tables) == 1:
        return tables[0]
    types: dict[str, set[str]] = {}
    for field in (field for table in tables for field in table.schema):
        types.setdefault(field.name, set()).add(str(field.type))
    mixed = [name for name, names_of_types in types.items() if len(names_of_types - {"null"}) > 1]
    return pa.concat_tables([_with_text_columns(table, mixed) for table in tables], promote_options="default")


def _with_text_columns(table: Any, names: Iterable[str]) -> Any:
    import pyarrow as pa

    for name in {*names}.intersection(table.column_names):
        texts = map(_json_text, table.column(name).to_pylist())
        table = table.set_column(table.column_names.index(name), name, pa.array([*texts], pa.string()))
    return table


def _json_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str)


def _with_type(column: pa.ChunkedArray, arrow_type: pa.DataType) -> pa.ChunkedArray:
    """Change the nullability of a column's nested fields; checks for nulls and shares the buffers."""
    import pyarrow as pa

    if column.type == arrow_type:
        return column
    return pa.chunked_array([chunk.view(arrow_type) for chunk in column.chunks], arrow_type)
