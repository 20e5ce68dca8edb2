"""Our connectors with their options, as tests use them without a spec."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from plait.engine.context import Services
from plait.plugin import DriverPath, LookupPath, Pattern, Record, RecordTable
from plait_connectors._csv_options import CsvOptions
from plait_connectors.cloudwatch_logs import CloudWatchLogsLookup, CloudWatchLogsOptions
from plait_connectors.csv import CsvLookup
from plait_connectors.dynamodb import DynamoDBLookup, DynamoDBOptions
from plait_connectors.json import JsonDriver, JsonOptions
from plait_connectors.mysql import MySQLLookup, MySQLOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kit.stubs import Stub
    from plait.plugin import Context


def context(*fields: str) -> Context:
    """A context of its own for a connector that reads objects, of which these fields are wanted, or all."""
    return Services().context("s", fields or None)


def json_driver(path: str, **options: Any) -> Any:
    """A driver of the JSON files at a path."""
    return JsonDriver(JsonOptions(path=DriverPath.parse(path), **options), context())


def csv_lookup(path: str, *fields: str, **options: Any) -> Any:
    """A look-up of the CSV files at a path, of which these fields are wanted, or all."""
    return CsvLookup(CsvOptions(path=LookupPath.parse(path), **options), context(*fields))


def single_records(answers: Iterable[Record | RecordTable]) -> Iterator[Record]:
    """The records of answers one by one."""
    for answer in answers:
        yield from answer.records() if isinstance(answer, RecordTable) else [answer]


def dynamodb_lookup(stub: Stub, table: str, **options: Any) -> DynamoDBLookup:
    """A look-up of the items of a table."""
    return DynamoDBLookup(DynamoDBOptions(table=table, **options), stub)


def logs_lookup(stub: Stub, group: str, pattern: str, **options: Any) -> CloudWatchLogsLookup:
    """A look-up of the lines of a log group."""
    options = {"log_group": group, **({"pattern": Pattern.parse(pattern)} if pattern else {}), **options}
    return CloudWatchLogsLookup(CloudWatchLogsOptions(**options), stub)


def mysql_lookup(stub: Stub, table: str, **options: Any) -> closing[MySQLLookup]:
    """A look-up of the rows of a table, by the secret `db`, for a `with` block."""
    return closing(MySQLLookup(MySQLOptions(secret="db", table=table, **options), stub))


def create_table(client: Any, name: str, **keys: str) -> None:
    """Create a table of DynamoDB with key attributes of these types, the partition key first."""
    client.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": letter} for key, letter in keys.items()
        ],
        KeySchema=[
            {"AttributeName": key, "KeyType": role}
            for key, role in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        BillingMode="PAY_PER_REQUEST",
    )
