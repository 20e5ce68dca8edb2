"""Ask the lake by SQL: Athena about a table, DuckDB about files without one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from plait.language.spec import options_of_type
from plait.pipeline.reading import open_lake, reading
from plait.plugin import GiveUp
from plait.plugin.lake_table import TableName
from plait.problems.problem import excerpt
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from plait.plan.plan import Plan


def query(plan: Plan, sql: str, workgroup: str = "primary", results: str | None = None) -> Any:
    """The answer as an Arrow table. Raises GiveUp for a query that is wrong, TryAgain."""
    sql = sql.strip().rstrip(";")
    if not sql:
        raise GiveUp("the query is empty", code="wrong-query", help="write `select …`")
    if plan.table is None:
        return _ask_duckdb(plan, sql)
    folder = (results or f"{(plan.sink_path or '').rstrip('/')}._plait/queries").rstrip("/")
    if not on_s3(folder):
        message = f"the folder of results {excerpt(folder)} is not on S3"
        raise GiveUp(message, code="wrong-value", help="write `s3://bucket/folder/`")
    return _ask_athena(sql, plan.table, workgroup, f"{folder}/{uuid.uuid4().hex}")


def _ask_athena(sql: str, table: TableName, workgroup: str, results: str) -> Any:
    """The answer of Athena as an Arrow table, which it unloads into `results`, a folder that is emptied.

    Athena's timestamps have no zone, and those of a lake are UTC.
    """
    import pyarrow as pa

    folder = f"`{results.rpartition('/')[0]}/`"
    with reading(f"Athena with results at {folder}", service="athena"):
        import awswrangler as wr

        refusals = (
            wr.exceptions.QueryFailed,
            wr.exceptions.QueryCancelled,
            wr.exceptions.InvalidArgumentValue,
        )
        try:
            wr.athena.unload(f"{sql}\n", results, table.database, workgroup=workgroup)
            frame = _frame_of(results, folder)
        except refusals as error:
            message = f"Athena refuses the query: {error}"
            raise GiveUp(message, code="wrong-query", help=f"the lake is called `{table}`") from None
        finally:
            with reading(folder):
                wr.s3.delete_objects(results)
    if frame is None:
        return pa.table({})
    answer = pa.Table.from_pandas(frame, preserve_index=False)
    times = {pa.timestamp("us"): pa.timestamp("us", tz="UTC")}
    return answer.cast(
        pa.schema([field.with_type(times.get(field.type, field.type)) for field in answer.schema])
    )


def _frame_of(results: str, folder: str) -> Any:
    """The files of an answer as a DataFrame; None for an answer without rows, which has no files."""
    import awswrangler as wr

    with reading(folder):
        try:
            return wr.s3.read_parquet(
                results,
                path_ignore_suffix=[".csv", ".metadata"],
                coerce_int96_timestamp_unit="us",
                dtype_backend="pyarrow",
            )
        except wr.exceptions.NoFilesFound:
            return None


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
        for table in names:  # so that a query of Athena is one of DuckDB
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS memory."{table.database}"')
            connection.execute(f'CREATE VIEW memory."{table.database}"."{table.table}" AS FROM "{name}"')
        try:
            answer: Any = connection.sql(sql)  # None, where a statement has no rows
            return pa.table({}) if answer is None else answer.to_arrow_table()
        except duckdb.Error as error:
            reason = " ".join(str(error).partition("\n\nLINE ")[0].split())
            called = name if name.isidentifier() else f'"{name}"'
            message = f"DuckDB refuses the query: {reason}"
            raise GiveUp(message, code="wrong-query", help=f"the lake is called `{called}`") from None
