"""What `plait check` says of the types of a table, which is a real MariaDB's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import plait
from plait.engine.context import Services
from plait.engine.probe import probe_blocks

if TYPE_CHECKING:
    from pathlib import Path

    from plait_sandbox.aws import LocalAws
    from plait_sandbox.mysql import LocalMysql

SPEC = """
plait: 1
name: types
sources:
  orders: {{connector: memory, rows: [{{id: 1}}], columns: {{id: int}}}}
  held:
    connector: mysql
    secret: types/db
    table: types.{table}
    {decode}
    columns: {{value: {type}}}
    join: {{on: id}}
sink: {{connector: parquet, path: lake/}}
"""


@pytest.fixture(scope="module")
def types(mysql: LocalMysql, reader: dict[str, Any]) -> dict[str, Any]:
    """The login to a database with a table with rows and an empty one."""
    mysql.execute("CREATE OR REPLACE DATABASE types")
    for table, column in (
        ("texts", "VARCHAR(9)"),
        ("digits", "VARCHAR(9)"),
        ("nothing", "VARCHAR(9)"),
        ("moments", "DATETIME"),
    ):
        mysql.execute(f"CREATE TABLE types.{table} (id INT, value {column})")
    mysql.execute("INSERT INTO types.texts VALUES (1, 'a'), (2, NULL), (3, '{}')")
    mysql.execute("INSERT INTO types.digits VALUES (1, 'a'), (2, '7')")
    return reader


@pytest.mark.parametrize(
    ("table", "type", "decode", "message"),
    [
        ("texts", "int", "", "no record of `held` fits: column `value`: expected int, got a text"),
        ("texts", "{type: int, default: 0}", "", "no record of `held` fits: column `value`"),
        ("texts", "string", "", None),
        ("texts", "binary", "decode: {value: [gzip]}", "no record of `held` fits: `value` cannot be decoded"),
        ("texts", "struct<a:int>", "decode: {value: [json]}", None),
        ("digits", "int", "", None),
        ("nothing", "int", "", None),
        ("moments", "int", "", "no record of `held` fits: column `value`: expected int, got a time"),
        ("moments", "{type: timestamp, required: true}", "", None),
    ],
)
def test_a_check_says_which_column_no_row_of_the_table_can_fit(
    tmp_path: Path,
    at_aws: LocalAws,
    types: dict[str, Any],
    table: str,
    type: str,
    decode: str,
    message: str | None,
) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="types/db", SecretString=json.dumps(types))
    try:
        (tmp_path / "types.yaml").write_text(SPEC.format(table=table, type=type, decode=decode))
        spec = plait.load(tmp_path / "types.yaml").spec
        [error] = [result.error for result in probe_blocks(spec, Services()) if result.block == "held"]
    finally:
        client.delete_secret(SecretId="types/db", ForceDeleteWithoutRecovery=True)
        client.close()
    assert (error and error.message.startswith(message or "?")) == (True if message else None)
