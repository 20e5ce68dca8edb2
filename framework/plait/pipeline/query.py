"""Ask the lake by SQL: Athena about a table, DuckDB about files without one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from plait.language.spec import options_of_type
from plait.pipeline.reading import ask_athena, open_lake
from plait.plugin import GiveUp
from plait.plugin.lake_table import TableName
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from plait.plan.plan import Plan


def query(plan: Plan, sql: str, workgroup: str = "primary", results: str | None = None) -> Any:
    """The answer as an Arrow table. Raises GiveUp for a query that is wrong, TryAgain."""
    sql = sql.strip().rstrip(";")
    if plan.table is None:
        return _ask_duckdb(plan, sql)
    folder = (results or f"{(plan.sink_path or '').rstrip('/')}._plait/queries").rstrip("/")
    return ask_athena(sql, plan.table.database, workgroup, f"{folder}/{uuid.uuid4().hex}")


def _ask_duckdb(plan: Plan, sql: str) -> Any:
    """The answer of DuckDB, which finds the lake by the table's name, or the pipeline's where it has none."""
    import pyarrow as pa

    try:
        import duckdb
    except ImportError as error:
        message = "a query of a lake that is no table needs `duckdb`, which is not installed"
        help = "install it: `pip install 'plait[duckdb]'`"
        raise GiveUp(message, code="missing-extra", help=help) from error
    lake = open_lake(plan)
    names = options_of_type(plan.spec.sink.options, TableName)
    name = names[0].table if names else plan.spec.name
    with duckdb.connect(config={"python_enable_replacements": "false"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register(name, lake.table() if on_s3(lake.path) else lake.dataset)
        try:
            answer: Any = connection.sql(sql)  # None, where a statement has no rows
            return pa.table({}) if answer is None else answer.to_arrow_table()
        except duckdb.Error as error:
            reason = " ".join(str(error).partition("\n\nLINE ")[0].split())
            called = name if name.isidentifier() else f'"{name}"'
            message = f"DuckDB refuses the query: {reason}"
            raise GiveUp(message, code="wrong-query", help=f"the lake is called `{called}`") from None
