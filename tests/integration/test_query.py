"""A query about the lake's table is answered by Athena, of which nothing stays."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pytest
from click.testing import CliRunner

from kit.network.faults import denied
from kit.network.proxy import Proxy
from kit.paths import TESTS
from kit.run import put
from kit.servers.buckets import buckets, contents
from plait.cli.main import main
from plait.pipeline.pipeline import Pipeline
from plait.plugin import GiveUp
from plait_sandbox.aws import start_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = {
    "id": "bigint",
    "at": "timestamp",
    "total": "decimal(12,2)",
    "note": "string",
    "tags": "array<string>",
}
ORDERS: list[dict[str, Any]] = [
    {"id": 1, "at": "2026-07-01T10:00:00.5Z", "total": "12.50", "note": "NaN", "tags": ["a", None]},
    {"id": 2, "at": "9999-12-31T00:00:00Z", "total": "0.10", "note": "", "tags": []},
    {"id": 3, "at": "2026-07-01T11:00:00Z", "total": "1.00"},
]


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The file of a pipeline whose lake is a table, with three orders in it."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    with start_aws("kit.servers.athena_server") as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        with buckets(client, "lake"):
            for order in ORDERS:
                put(tmp_path / "raw" / f"{order['id']}.json", order)
            source = {"connector": "json", "path": f"{tmp_path}/raw/*.json", "columns": COLUMNS}
            sink = {"connector": "parquet", "path": "s3://lake/orders/", "table": "shop.orders"}
            text = {
                "plait": 1,
                "name": "s",
                "sources": {"o": source},
                "partition_by": {"day": "date(at)"},
                "sink": sink,
            }
            file = put(tmp_path / "orders.yaml", text)
            done = CliRunner().invoke(main, ["table", file, "--apply"])
            assert done.exit_code == 0, done.output
            assert CliRunner().invoke(main, ["run", file, "--all"]).exit_code == 0
            yield file
        client.close()


def test_a_query_of_a_table_is_answered_by_athena_exactly(spec: str) -> None:
    """An empty text stays one, a decimal stays exact, a time beyond nanoseconds is no other, and no result stays."""
    pipeline, client = Pipeline.load(spec, {}), boto3.client("s3")
    files = contents(client, "lake")
    frame = pipeline.query("select id, at, total, note, tags, day from shop.orders;").sort_values("id")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    assert table.schema.field("at").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("total").type == pa.decimal128(12, 2)
    assert table.to_pylist() == [
        {"id": 1, "at": datetime(2026, 7, 1, 10, 0, 0, 500_000, UTC), "total": Decimal("12.50"), "note": "NaN", "tags": ["a", None], "day": date(2026, 7, 1)},
        {"id": 2, "at": datetime(9999, 12, 31, tzinfo=UTC), "total": Decimal("0.10"), "note": "", "tags": [], "day": date(9999, 12, 31)},
        {"id": 3, "at": datetime(2026, 7, 1, 11, tzinfo=UTC), "total": Decimal("1.00"), "note": None, "tags": None, "day": date(2026, 7, 1)},
    ]  # fmt: skip
    assert pipeline.query("select id from shop.orders where id > 9", results="s3://lake/tmp/").empty
    assert contents(client, "lake") == files
    client.close()


def test_what_athena_refuses_is_told(spec: str) -> None:
    pipeline = Pipeline.load(spec, {})
    with pytest.raises(GiveUp, match="Athena refuses the query: TABLE_NOT_FOUND") as raised:
        pipeline.query("select * from shop.order")
    assert (raised.value.code, raised.value.help) == ("wrong-query", "the lake is called `shop.orders`")
    with pytest.raises(GiveUp, match="the query is empty"):
        pipeline.query(" ; ")
    with pytest.raises(GiveUp, match=r"the folder of results `\./out` is not on S3"):
        pipeline.query("select 1 as n", results="./out")
    with pytest.raises(GiveUp, match="`s3://nowhere/` cannot be used: NoSuchBucket"):
        pipeline.query("select 1 as n", results="s3://nowhere/")
    done = CliRunner().invoke(
        main, ["query", spec, "select count(*) as n from shop.orders -- all", "-o", "json"]
    )
    assert json.loads(done.stdout)["rows"] == [{"n": 3}]


def test_a_query_of_the_table_is_one_of_its_folder_too(tmp_path: Path) -> None:
    """Where a parameter makes the lake a folder, DuckDB knows it by all of the table's name, and without its database."""
    for table in ("shop.orders", "main.orders", "9.select"):
        text = {
            "plait": 1,
            "name": "s",
            "parameters": {"lake": {"default": "s3://lake"}},
            "sources": {"o": {"connector": "memory", "rows": [{"id": "a"}], "columns": {"id": "string"}}},
            "sink": {"connector": "parquet", "path": "${lake}/", "table": table},
        }
        pipeline = Pipeline.load(put(tmp_path / "s.yaml", text), {"lake": f"{tmp_path}/lake"})
        assert pipeline.run().ok
        database, _, name = table.partition(".")
        for called in (f'"{database}"."{name}"', f'"{name}"'):
            assert pipeline.query(f"select id from {called}").shape == (1, 1), called


def test_who_may_not_empty_the_folder_of_results_is_told_which_right_is_missing(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(os.environ["AWS_ENDPOINT_URL"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        proxy.on(1, "before", denied("s3"), operation="s3:DeleteObjects", forever=True)
        with pytest.raises(GiveUp, match=r"`s3://lake/orders\._plait/queries/` cannot be used: ") as raised:
            Pipeline.load(spec, {}).query("select id from shop.orders")
    assert raised.value.help == "allow the role `s3:DeleteObject` on it"


def test_two_columns_of_one_name_are_no_object_of_json(tmp_path: Path) -> None:
    source = {"connector": "memory", "rows": [{"id": "a"}], "columns": {"id": "string"}}
    sink = {"connector": "parquet", "path": f"{tmp_path}/lake/"}
    file = put(tmp_path / "s.yaml", {"plait": 1, "name": "s", "sources": {"o": source}, "sink": sink})
    query = ["query", file, "select 1 as n, 2 as n", "-o"]
    assert CliRunner().invoke(main, [*query, "csv"]).stdout == "n,n\n1,2\n"
    refused = CliRunner().invoke(main, [*query, "json"])
    assert (refused.stdout, refused.exit_code) == ("", 1)
    assert "two columns of the answer have one name" in refused.stderr
