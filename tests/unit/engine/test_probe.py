"""What `plait check` says of the types of a table, which is a real MariaDB's, and of a store that is not AWS's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import plait
from kit.network.proxy import Proxy
from kit.servers.buckets import contents
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


COPIED = """
plait: 1
name: copied
sources: {orders: {connector: json, path: "s3://shop/raw/*.json", columns: {id: string}}}
quarantine: s3://shop/bad/
sink: {connector: parquet, path: "s3://shop/lake/"%s}
"""


@pytest.mark.parametrize("ignored", ["if-none-match", "if-match", ""])
def test_a_store_without_conditional_writes_is_told_by_a_check_and_a_run_unless_the_spec_renounces_them(
    tmp_path: Path, s3: Any, aws: LocalAws, monkeypatch: pytest.MonkeyPatch, ignored: str
) -> None:
    """A check leaves nothing behind, also where it is made twice; each report of a sink that renounces them says so."""
    spec, bare = tmp_path / "copied.yaml", tmp_path / "bare.yaml"
    spec.write_text(COPIED % "")
    bare.write_text(COPIED % ", conditional: false")
    s3.put_object(Bucket="shop", Key="raw/a.json", Body=b'{"id": "a"}')
    s3.put_object(Bucket="shop", Key="raw/b.json", Body=b"no JSON")
    with Proxy(aws.endpoint, without=[ignored] if ignored else []) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.endpoint)
        for _ in range(2):
            [error] = [r.error for r in probe_blocks(plait.load(spec).spec, Services()) if r.block == "sink"]
            assert (error.code if error else "") == ("no-conditional-writes" if ignored else "")
            assert [*contents(s3, "shop")] == ["raw/a.json", "raw/b.json"]
        for codes in (
            {"if-none-match": {"no-conditional-writes"}}.get(ignored, {"bad-record"}),
            {"no-conditional-writes"} if ignored else {"bad-record"},
        ):
            report = plait.load(spec).run()
            assert {problem.code for problem in report.problems} == codes
            assert report.ok == (codes == {"bad-record"})

        report = plait.load(bare).run()
        assert report.ok
        assert [problem.code for problem in report.problems] == ["unconditional-writes", "bad-record"]
        assert report.problems[0].level == "warning"
        [facts] = [r.facts for r in probe_blocks(plait.load(bare).spec, Services()) if r.block == "sink"]
        assert "`conditional: false`" in facts[0]
    assert len([*contents(s3, "shop")]) == 4
