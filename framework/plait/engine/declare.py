"""Joined rows as the plan declares them: the columns in its order, with its types and its nullability."""

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
    """The table with a column of nulls for each of these fields that no record has."""
    import pyarrow as pa

    for name in names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows))
    return table


def declare(table: Any, plan: Plan) -> Any:
    """The same data under the plan's schema; fields found at run time follow those declared.

    Raises IncompatibleTypes where two columns have one name, which a source without `columns` may bring about.
    """
    import pyarrow as pa

    names = table.column_names
    refuse_twice(names)
    fields = [field.arrow(table.schema.field(field.name).type) for field in plan.fields]
    declared = {field.name for field in fields}
    fields += [table.schema.field(name) for name in names if name not in declared]
    columns = [_seen_as(table.column(field.name), field.type) for field in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields)) if fields else table


def refuse_twice(names: Sequence[str]) -> None:
    """Raise IncompatibleTypes where a name stands twice."""
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        message = f"two sources give the column `{twice}`"
        help = "declare the `columns` of each source"
        raise IncompatibleTypes(message, field=twice, code="duplicate-column", help=help)


def together(tables: Sequence[Any]) -> Any:
    """Tables one below the other; a column whose types do not meet is shown as text."""
    import pyarrow as pa

    if len(tables) == 1:
        return tables[0]
    found: dict[str, set[str]] = {}
    for field in (field for table in tables for field in table.schema):
        found.setdefault(field.name, set()).add(str(field.type))
    several = [name for name, kinds in found.items() if len(kinds - {"null"}) > 1]
    return pa.concat_tables([_as_text(table, several) for table in tables], promote_options="default")


def _as_text(table: Any, names: Iterable[str]) -> Any:
    import pyarrow as pa

    for name in {*names}.intersection(table.column_names):
        texts = map(_text, table.column(name).to_pylist())
        table = table.set_column(table.column_names.index(name), name, pa.array([*texts], pa.string()))
    return table


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str)


def _seen_as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """The column with another nullability of what it nests; its buffers are shared, its nulls looked for."""
    import pyarrow as pa

    if column.type == kind:
        return column
    return pa.chunked_array([chunk.view(kind) for chunk in column.chunks], kind)
