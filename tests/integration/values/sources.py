"""Each connector with the kinds of value in it: one record of a field `v` for each kind."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from kit.connect import (
    context,
    create_table,
    csv_lookup,
    dynamodb_lookup,
    json_driver,
    logs_lookup,
    mysql_lookup,
    single_records,
)
from kit.servers.stand_ins import log_in
from kit.stubs import Stub
from plait.plugin import Item, Key, Record, RecordTable
from plait_connectors.memory import MemoryOptions, MemoryRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from integration.values.cells import Kind
    from plait_sandbox.mysql import LocalMysql


def json_file(kind: Kind) -> bytes:
    """An object with the value as its field, or the bytes themselves."""
    if isinstance(kind.source, bytes):
        return kind.source
    return b"{}" if kind.source is None else f'{{"v": {kind.source}}}'.encode()


def json_records(kinds: Sequence[Kind], folder: Path) -> list[Any]:
    """The record of each file."""
    for n, kind in enumerate(kinds):
        (folder / f"{n}.json").write_bytes(json_file(kind))
    return [
        *json_driver(f"{folder}/*.json").read([Item(uri=f"{folder}/{n}.json") for n in range(len(kinds))])
    ]


def csv_file(kind: Kind) -> bytes:
    """A file with a line of the value and another field, or the bytes themselves."""
    return kind.source if isinstance(kind.source, bytes) else f"v,w\n{kind.source}\n".encode()


def csv_line(text: str) -> str:
    """A text as a line that has it as its first field."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow([text, "x"])
    return line.getvalue()


def csv_records(kinds: Sequence[Kind], folder: Path) -> list[Record]:
    """The one record of each file."""
    for n, kind in enumerate(kinds):
        (folder / f"{n}.csv").write_bytes(csv_file(kind))
    lookup = csv_lookup(f"{folder}/{{id}}.csv", "v", "")
    return [_only(lookup.fetch([Key(fields={"id": str(n)})])) for n in range(len(kinds))]


def _only(answers: Iterable[Record | RecordTable]) -> Record:
    (record,) = single_records(answers)
    return record


def memory_records(kinds: Sequence[Kind]) -> list[Record]:
    """The row of each value."""
    options = MemoryOptions(rows=[{"v": kind.source} for kind in kinds])
    return [*MemoryRows(options, context()).fetch([])]


def mysql_records(kinds: Sequence[Kind], server: LocalMysql, secret: dict[str, Any]) -> list[Record]:
    """The row of each table, one table for each kind of column."""
    stub = Stub(secrets={"db": secret})
    with log_in(server) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE OR REPLACE DATABASE kinds CHARACTER SET utf8mb4")
        cursor.execute("SET sql_mode = '', time_zone = '+05:00'")
        for n, kind in enumerate(kinds):
            column, literal = kind.source
            cursor.execute(f"CREATE TABLE kinds.k{n} (id INT, v {column})")
            cursor.execute(f"INSERT INTO kinds.k{n} VALUES (1, {literal})")
    return [_mysql_record(f"kinds.k{n}", stub) for n in range(len(kinds))]


def _mysql_record(table: str, stub: Stub) -> Record:
    with mysql_lookup(stub, table) as lookup:
        return _only(lookup.fetch([Key(fields={"id": 1})]))


def mysql_text(text: str) -> tuple[str, str]:
    """The column and the literal of a text."""
    return "TEXT CHARACTER SET utf8mb4", f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"


def dynamodb_records(kinds: Sequence[Kind], endpoint: str) -> list[Record]:
    """The item of each value."""
    stub = Stub(endpoint=endpoint)
    client = stub.client("dynamodb")
    create_table(client, "kinds", id="N")
    for n, kind in enumerate(kinds):
        value = {} if kind.source is None else {"v": kind.source}
        client.put_item(TableName="kinds", Item={"id": {"N": str(n)}, **value})
    lookup = dynamodb_lookup(stub, "kinds")
    chunks = (range(n, min(n + 100, len(kinds))) for n in range(0, len(kinds), 100))
    records = chain.from_iterable(lookup.fetch([Key(fields={"id": n}) for n in chunk]) for chunk in chunks)
    return sorted(records, key=lambda record: record.fields["id"])


def log_records(kinds: Sequence[Kind], endpoint: str) -> list[Record]:
    """The line of each value, as `said {v}`."""
    stub = Stub(endpoint=endpoint)
    client = stub.client("logs")
    client.create_log_group(logGroupName="kinds")
    client.create_log_stream(logGroupName="kinds", logStreamName="s")
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    stamp = int(begin.timestamp()) * 1000
    events = [{"timestamp": stamp + n, "message": f"said {kind.source}\n"} for n, kind in enumerate(kinds)]
    client.put_log_events(logGroupName="kinds", logStreamName="s", logEvents=events)
    key = Key(fields={}, since=begin, until=begin + timedelta(minutes=1))
    return [*logs_lookup(stub, "kinds", "said {v}").fetch([key])]
