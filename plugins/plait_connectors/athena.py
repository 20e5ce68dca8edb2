"""Rows of a table of Glue's catalogue, asked for by key columns with Athena."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    GiveUp,
    Lookup,
    Missing,
    PlaitError,
    Record,
    RecordTable,
    TryAgain,
    calling,
    excerpt,
    hookimpl,
)
from plait_connectors._athena_options import AthenaOptions
from plait_connectors._athena_query import run
from plait_connectors._athena_select import (
    Condition,
    TableColumns,
    chunks,
    conditions,
    quoted_text,
    select,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.plugin import Context, Key, Statement

SAMPLE_ROWS = 20


class AthenaLookup(Lookup[AthenaOptions]):
    """Asks for many keys with one UNLOAD, whose files of Parquet it reads and deletes."""

    keys_per_call = 5000

    def __init__(self, options: AthenaOptions, context: Context | None = None) -> None:
        super().__init__(options, context)
        self._known_table: TableColumns | None = None

    def row_columns(self) -> list[str]:
        """Return the columns of the row that name partitions."""
        return [*dict.fromkeys(self.options.partitions.values())]

    def permissions(self) -> Iterator[Statement]:
        """Return the rights to run queries, and to what they read and write."""
        return self.options.permissions()

    def record_of_case(self, row: Mapping[str, Any]) -> Record:
        """Return a row of the table as a record, in which a partition has the name of the row's column, too."""
        named = {column: row[name] for name, column in self.options.partitions.items() if name in row}
        return Record(fields={**row, **named})

    def calls(self) -> list[Calls]:
        """Return one query for five thousand keys, with the calls that its answer takes; what it scans has a price of its own."""
        a_query = (
            "athena:StartQueryExecution",
            "athena:GetQueryExecution",
            "s3:GetObject",
            "s3:DeleteObject",
        )
        per = self.keys_per_call
        of_queries = [Calls(operation=operation, quantity="keys", per=per) for operation in a_query]
        listings = [Calls(operation="s3:ListObjectsV2", quantity="keys", per=per)] * 2
        return [Calls(operation="glue:GetTable", quantity="starts"), *of_queries, *listings]

    def remarks(self) -> Iterator[str]:
        """Tell what a query may cost, and what the policy lacks."""
        return self.options.remarks()

    def facts(self) -> Iterator[str]:
        """Ask where the table's files are, which partitions no key names, and what a query of the workgroup may scan."""
        table = self._table()
        allowed = self.options.location
        is_allowed = allowed is None or f"{table.location.rstrip('/')}/".startswith(
            f"{allowed.literal.rstrip('/')}/"
        )
        advice = "" if is_allowed else ", which `location` does not hold: set it to this"
        yield f"files at {table.location}{advice}" if table.location else "a view"
        if table.partitions:
            yield f"partitioned by {', '.join(f'`{name}`' for name in table.partitions)}"
        name = self.options.workgroup
        with calling(f"workgroup `{name}`", service="athena"):
            group = self.context.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
        limit = group.get("Configuration", {}).get("BytesScannedCutoffPerQuery")
        yield (
            f"a query may scan {limit:,} bytes"
            if limit
            else (
                f"a query may scan any number of bytes before it is stopped: limit it in workgroup `{name}`"
            )
        )

    def prepare(self) -> None:
        """Load the reader of Parquet, and make the clients."""
        from pyarrow import parquet  # noqa: F401 - loaded now, used when there are keys

        for service in ("athena", "glue"):
            self.context.client(service)

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record | RecordTable]:
        """Yield the rows that have these keys."""
        table = self._table()
        table.require(map(self._column_of, keys[0].fields if keys else ()))
        for chunk in chunks(conditions(table, keys, self._column_of)):
            yield from self._rows(table, chunk)

    def sample(self) -> list[Record]:
        """Return some rows."""
        answer = self._ask(self._table(), (), SAMPLE_ROWS)
        return [Record(fields=fields) for fields in answer.to_pylist(maps_as_pydicts="strict")]

    def _column_of(self, field: str) -> str:
        """The column that a field is read from: its own, or the partition that a column of the row names."""
        names = (partition for partition, column in self.options.partitions.items() if column == field)
        return next(names, field)

    def _table(self) -> TableColumns:
        """Ask the catalogue for the columns, once."""
        if self._known_table is None:
            database, _, name = self.options.table.partition(".")
            with calling(f"table `{self.options.table}`", service="glue"):
                answer = self.context.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
            storage, partitions = answer.get("StorageDescriptor", {}), answer.get("PartitionKeys", [])
            columns = [*storage.get("Columns", []), *partitions]
            table = TableColumns(
                name=self.options.table,
                types={column["Name"].lower(): column.get("Type", "string").lower() for column in columns},
                partitions=tuple(column["Name"] for column in partitions),
                location=storage.get("Location", ""),
            )
            table.require(self.options.partitions)
            for partition, column in self.options.partitions.items():
                if column.lower() in table.types and column.lower() != partition.lower():
                    message = f"table `{table.name}` has a column {excerpt(column)} beside the partition {excerpt(partition)}"
                    help = "give the column of the row, which `partitions` names, another name"
                    raise GiveUp(message, code="wrong-request", help=help)
            self._known_table = table
        return self._known_table

    def _rows(self, table: TableColumns, keys: Sequence[Condition]) -> Iterator[Record | RecordTable]:
        """Yield the rows of some keys; if there are too many, halve the keys until one key has too many."""
        max_rows = self.options.max_rows
        answer = self._ask(table, keys, max_rows + 1)
        if answer.num_rows <= max_rows:
            if any("map<" in str(kind) for kind in answer.schema.types):
                yield from (Record(fields=fields) for fields in answer.to_pylist(maps_as_pydicts="strict"))
            elif answer.num_rows:
                yield RecordTable(table=answer)
        elif len(keys) > 1:
            half = len(keys) // 2
            yield from self._rows(table, keys[:half])
            yield from self._rows(table, keys[half:])
        else:
            fault = BadRecord(f"more than {max_rows:,} rows for one key", help="raise `max_rows`")
            yield Record(fields=keys[0].key.fields, fault=fault)

    def _ask(self, table: TableColumns, keys: Sequence[Condition], limit: int) -> Any:
        """Return the rows as an Arrow table whose columns have the names of the fields; what was written is deleted."""
        import pyarrow as pa

        wanted = [*table.types] if self.context.fields is None else [*self.context.fields]
        fields = [*dict.fromkeys([*wanted, *self.row_columns(), *(keys[0].key.fields if keys else ())])]
        columns = {field: self._column_of(field).lower() for field in fields}
        table.require(columns.values())
        token = uuid.uuid4().hex
        folder = f"{self.options.output.literal.rstrip('/')}/{token}/"
        request = {
            "ClientRequestToken": token,
            "WorkGroup": self.options.workgroup,
            "ResultConfiguration": {"OutputLocation": folder},
        }
        rows = select(table, dict.fromkeys(columns.values()), keys, limit)
        sql = f"UNLOAD ({rows}) TO {quoted_text(f'{folder}rows/')} WITH (format = 'PARQUET', compression = 'SNAPPY')"
        try:
            run(self.context, sql, request, self.options.max_scanned_bytes)
            parts = [*self._files(f"{folder}rows/")]
        finally:
            with suppress(PlaitError):
                self.context.objects.remove([*self.context.objects.list(folder)])
        answer = (
            pa.concat_tables(parts) if parts else pa.table({name: pa.nulls(0) for name in columns.values()})
        )
        return pa.table({field: answer.column(name) for field, name in columns.items()})

    def _files(self, folder: str) -> Iterator[Any]:
        """Yield the files of an answer as Arrow tables."""
        import pyarrow as pa
        from pyarrow import parquet

        for answer in self.context.objects.get([item.uri for item in self.context.objects.list(folder)]):
            if isinstance(answer, Missing):
                raise TryAgain(f"the answer of Athena is gone: {answer.uri}", code="unreadable-answer")
            if isinstance(answer, PlaitError):
                raise answer
            file = parquet.ParquetFile(pa.BufferReader(answer.data), coerce_int96_timestamp_unit="us")
            yield file.read()


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `athena`."""
    return [
        Connector(
            "athena", "rows of a table, by key columns, with Athena", AthenaOptions, lookup=AthenaLookup
        )
    ]
