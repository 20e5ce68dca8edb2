"""moto's server with an Athena that runs: sqlglot turns a query into one of DuckDB, over the files of Glue's tables.

Run as a module like `plait_sandbox.moto_server`. A workgroup whose name is in `REASONS` fails each query with that reason,
one called `slow` never ends a query, and one called `costly` says that each scans a terabyte.
IAM is enforced as by `iam_server`, but not what Athena itself does in the name of the role.
"""

import io
import json
import re
import uuid
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import sqlglot
from moto.athena.models import AthenaBackend, athena_backends
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError
from moto.glue.models import glue_backends
from moto.s3.models import s3_backends
from pyarrow import parquet
from sqlglot import exp

from kit.servers.iam_server import enforce_as_aws_does
from plait_sandbox.moto_server import serve

UNLOAD = re.compile(
    r"UNLOAD \((?P<rows>.*)\) TO '(?P<to>[^']*)' WITH \(\s*format ?= ?'PARQUET'.*\)", re.DOTALL
)
NULL = "__HIVE_DEFAULT_PARTITION__"
MAX_QUERY_BYTES = 262_144
REASONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "cancelled": ("CANCELLED", "", {}),
    "limited": ("CANCELLED", "Bytes scanned limit was exceeded", {}),
    "exhausted": ("FAILED", "Query exhausted resources at this scale factor", {"ErrorCategory": 2}),
    "busy": (
        "FAILED",
        "HIVE_CANNOT_OPEN_SPLIT: Error opening: SlowDown (Status Code: 503)",
        {"ErrorCategory": 1},
    ),
    "internal": ("FAILED", "Internal error", {"ErrorCategory": 1, "ErrorType": 100}),
    "again": ("FAILED", "some reason", {"ErrorCategory": 3, "Retryable": True}),
    "lake-formation": (
        "FAILED",
        "COLUMN_NOT_FOUND: Insufficient Lake Formation permission(s) on `lake`",
        {"ErrorCategory": 2},
    ),
    "denied": ("FAILED", "PERMISSION_DENIED: Access Denied", {"ErrorCategory": 2}),
    "files": (
        "FAILED",
        "HIVE_BAD_DATA: Field n's type INT64 in parquet is incompatible",
        {"ErrorCategory": 2},
    ),
    "unlike": ("FAILED", "TYPE_MISMATCH: cannot compare 'canary-value'", {"ErrorCategory": 2}),
    "hours": ("FAILED", "Query timeout", {"ErrorCategory": 2}),
}


class NotRun(Exception):
    """A query that fails, and why."""


def files_of(table: Any, region: str, account: str) -> list[tuple[str, bytes, dict[str, Any]]]:
    """The path and bytes of each file of a table, and the values of the partition it lies in."""
    catalog, s3 = glue_backends[account][region], s3_backends[account]["aws"]
    properties = table.as_dict()
    keys = [key["Name"] for key in properties.get("PartitionKeys", [])]
    storage = properties["StorageDescriptor"]
    places: list[tuple[str, dict[str, Any]]] = [(storage["Location"], {})]
    if keys:
        partitions = catalog.get_partitions(table.database_name, table.name, "")
        places = [
            (
                p.as_dict()["StorageDescriptor"]["Location"],
                {k: None if v == NULL else v for k, v in zip(keys, p.as_dict()["Values"], strict=True)},
            )
            for p in partitions
        ]
    files: list[tuple[str, bytes, dict[str, Any]]] = []
    for location, values in places:
        address = urlsplit(location)
        prefix, keys_of_bucket = address.path.lstrip("/"), s3.buckets[address.netloc].keys.values()
        files += [
            (f"s3://{address.netloc}/{key.name}", key.value, values)
            for key in keys_of_bucket
            if key.name.startswith(prefix)
        ]
    return files


def run(sql: str, region: str, account: str) -> tuple[pa.Table, int]:
    """The rows of a query, and how many bytes of files it had to read."""
    statement = sqlglot.parse_one(sql, read="athena")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    scanned = 0
    for node in list(statement.find_all(exp.Table)):
        try:
            table = glue_backends[account][region].get_table(node.db, node.name)
        except JsonRESTError:
            raise NotRun(f"TABLE_NOT_FOUND: line 1:1: Table '{node.db}.{node.name}' does not exist") from None
        types = {
            column["Name"]: column["Type"]
            for column in [
                *table.as_dict()["StorageDescriptor"]["Columns"],
                *table.as_dict().get("PartitionKeys", []),
            ]
        }
        parts = []
        for path, data, values in files_of(table, region, account):
            rows = parquet.read_table(io.BytesIO(data))
            for name, value in values.items():
                rows = rows.append_column(name, pa.array([value] * rows.num_rows, pa.string()))
            parts.append(rows.append_column("$path", pa.repeat(path, rows.num_rows)))
            parts[-1] = parts[-1].append_column("$bytes", pa.repeat(len(data), rows.num_rows))
        nothing = pa.table({name: pa.array([], pa.string()) for name in (*types, "$path", "$bytes")})
        connection.register(f"files_{node.name}", pa.concat_tables(parts) if parts else nothing)
        columns = ", ".join(
            f'CAST("{name}" AS {sqlglot.exp.DataType.build(kind, dialect="hive").sql("duckdb")}) AS "{name}"'
            for name, kind in types.items()
        )
        connection.execute(
            f'CREATE VIEW "{node.name}" AS SELECT {columns}, "$path", "$bytes" FROM "files_{node.name}"'
        )
        keys = {key["Name"] for key in table.as_dict().get("PartitionKeys", [])}
        scanned += bytes_of(connection, statement, node.name, keys)
        node.set("db", None)
    try:
        return connection.execute(statement.sql("duckdb")).to_arrow_table(), scanned
    except duckdb.Error as error:
        raise NotRun(f"SYNTAX_ERROR: {error}") from None


def bytes_of(connection: Any, statement: Any, name: str, keys: set[str]) -> int:
    """How many bytes the files have that the conditions on partitions leave."""
    where = statement.args.get("where")
    conjuncts = (
        where.this.flatten() if where and isinstance(where.this, exp.And) else [where.this] if where else []
    )
    pruning = [
        term.sql("duckdb")
        for term in conjuncts
        if (columns := {column.name for column in term.find_all(exp.Column)}) and columns <= keys
    ]
    condition = f"WHERE {' AND '.join(pruning)}" if pruning else ""
    query = f'SELECT sum(size) FROM (SELECT DISTINCT "$path", "$bytes" AS size FROM "{name}" {condition})'
    return connection.execute(query).fetchone()[0] or 0


def unload(sql: str, output: str, id: str, region: str, account: str) -> int:
    """Run an UNLOAD as Athena does: several files, none for no rows, names in lower case; returns the bytes scanned."""
    match = UNLOAD.fullmatch(sql)
    hides_the_end = re.search(r"--[^\n']*\) TO '", sql)
    if not match or hides_the_end or len(sql.encode()) > MAX_QUERY_BYTES:
        raise NotRun("SYNTAX_ERROR: line 1:1: mismatched input")
    s3, target = s3_backends[account]["aws"], urlsplit(match["to"])
    keys = s3.buckets[target.netloc].keys
    if any(key.startswith(target.path.lstrip("/")) for key in keys):
        raise NotRun(f"HIVE_PATH_ALREADY_EXISTS: Unload target directory '{match['to']}' is not empty")
    rows, scanned = run(match["rows"], region, account)
    rows = rows.rename_columns([name.lower() for name in rows.column_names])
    half = (rows.num_rows + 1) // 2
    for part in (rows.slice(0, half), rows.slice(half)):
        if part.num_rows:
            buffer = io.BytesIO()
            parquet.write_table(part, buffer, compression="snappy", use_deprecated_int96_timestamps=True)
            s3.put_object(target.netloc, f"{target.path.lstrip('/')}{uuid.uuid4()}", buffer.getvalue())
    folder = urlsplit(output)
    for suffix in (".csv.metadata", "-manifest.csv"):
        s3.put_object(folder.netloc, f"{folder.path.lstrip('/')}{id}{suffix}", b"manifest")
    return scanned


def start(self: AthenaBackend, query: str, config: dict[str, Any], workgroup: str, **more: Any) -> str:
    """Run a query at once; what became of it is asked for later."""
    output = config["OutputLocation"]
    id = plain_start(self, query=query, config=config, workgroup=workgroup, **more)
    execution = self.executions[id]
    state, reason, error = REASONS.get(workgroup, ("RUNNING" if workgroup == "slow" else "SUCCEEDED", "", {}))
    scanned = 0
    if workgroup not in REASONS:
        try:
            scanned = unload(query, output, id, self.region_name, self.account_id)
        except NotRun as failure:
            state, reason, error = "FAILED", str(failure), {"ErrorCategory": 2}
    if workgroup == "costly":
        scanned = 10**12
    execution.outcome = (state, reason, error, scanned)  # type: ignore[attr-defined]
    return id


def tell(self: AthenaResponse) -> str:
    """What became of a query, with its reason and its bytes."""
    answer = json.loads(plain_tell(self))
    id = answer["QueryExecution"]["QueryExecutionId"]
    execution: Any = athena_backends[self.current_account][self.region].executions[id]
    state, reason, error, scanned = execution.outcome
    status = {"State": "CANCELLED" if execution.status == "CANCELLED" else state, "AthenaError": error}
    answer["QueryExecution"]["Status"].update(status | ({"StateChangeReason": reason} if reason else {}))
    answer["QueryExecution"]["Statistics"]["DataScannedInBytes"] = scanned
    return json.dumps(answer)


def begin(self: AthenaResponse) -> Any:
    """Answer a request whose token was answered before as then."""
    token = self._get_param("ClientRequestToken")
    if token not in ANSWERS:
        ANSWERS[token] = plain_begin(self)
    return ANSWERS[token]


ANSWERS: dict[str, Any] = {}
plain_start, plain_tell = AthenaBackend.start_query_execution, AthenaResponse.get_query_execution
plain_begin = AthenaResponse.start_query_execution

if __name__ == "__main__":
    enforce_as_aws_does()
    AthenaBackend.start_query_execution = start  # type: ignore[method-assign, assignment]
    AthenaResponse.start_query_execution = begin  # type: ignore[method-assign]
    AthenaResponse.get_query_execution = tell  # type: ignore[method-assign]
    serve()
