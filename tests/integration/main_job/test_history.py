"""One `plait run` over 2,000 orders: every value is the oracle's, and every call is needed."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kit.network.proxy import Proxy
from kit.oracle import oracle, oracle_lake
from kit.servers.mysql_counts import Counts, counts
from kit.servers.stand_ins import log_in
from kit.shop import Shop
from plait_sandbox import generate, start_sandbox
from plait_sandbox.quirks import QUIRKS

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDERS, SEED, EACH = 2_000, 20_260_701, 10
STORES = 1_000_000
PAGE = 10_000
HOUR = timedelta(hours=1)


class History(NamedTuple):
    """What one run over all orders left behind, said, and asked of each server."""

    shop: Shop
    expected: oracle.Expected
    lake: dict[str, bytes]
    report: dict[str, Any]
    calls: Counter[str]
    mysql: Counts


@pytest.fixture(scope="module")
def history(request: pytest.FixtureRequest) -> Iterator[History]:
    plugins = request.config.pluginmanager
    with plugins.getplugin("capturemanager").global_and_fixture_disabled():
        plugins.getplugin("terminalreporter").write_line(f"{ORDERS} orders of seed {SEED}")
    sample = generate(ORDERS, SEED, per_quirk=EACH)
    with start_sandbox("mariadb") as sandbox, Proxy(sandbox.aws.endpoint) as proxy:
        sandbox.fill(sample, announce=False)
        sandbox.mysql.execute(
            f"INSERT INTO stores.stores SELECT seq + 1000000, 'Elsewhere', 'Elsewhere'"
            f" FROM stores.seq_1_to_{STORES - len(sample.stores)}"
        )
        shop = Shop(sandbox, sample, proxy, sandbox.client("s3"))
        with log_in(sandbox.mysql) as admin:
            before = counts(admin)
            ended = shop.command("history", "run", "pipelines/transactions.yaml", "--all", "-o", "json")
            assert ended.returncode == 0, ended.stderr[-2000:]
            mysql = counts(admin) - before
        calls = Counter(proxy.calls)
        yield History(
            shop, oracle.expect(sample), shop.lake("history"), json.loads(ended.stdout), calls, mysql
        )


def _windows(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """The stretches of time within an hour of any order, in order, none touching another."""
    merged: list[list[Any]] = []
    for at in sorted(row["ordered_at"] for row in rows if row["ordered_at"]):
        if merged and at - HOUR <= merged[-1][1]:
            merged[-1][1] = at + HOUR
        else:
            merged.append([at - HOUR, at + HOUR])
    return merged


def test_every_quirk_is_there_ten_times(history: History) -> None:
    """The sample shows each oddity at least ten times, so that none is met by luck alone."""
    assert min(len(history.shop.sample.quirks[quirk]) for quirk in QUIRKS) >= EACH


def test_the_lake_of_two_thousand_orders_equals_the_oracle(history: History) -> None:
    """Row for row and value for value, exact decimals, timestamps and nested lists, read by DuckDB."""
    assert oracle_lake.compare(history.expected, oracle_lake.read_files(history.lake)) == []
    assert len(history.expected.rows) > ORDERS * 0.9


def test_what_is_no_row_is_in_the_quarantine_or_skipped(history: History) -> None:
    """The quarantine holds exactly the orders that the oracle refuses, and the numbers add up."""
    quarantined = [json.loads(data) for data in history.shop.lake("history", "quarantine").values()]
    refused = {record["object"].removeprefix("s3://shop-raw/") for record in quarantined}
    assert refused == set(history.expected.quarantined)
    objects, records = history.report["objects"], history.report["records"]
    assert objects["seen"] == objects["done"] == len(history.shop.keys()) - len(history.expected.skipped)
    assert records["read"] == records["written"] + records["quarantined"] == objects["done"]


def test_no_service_is_asked_more_than_the_keys_need(history: History) -> None:
    """One GET an object, one PUT a file and one that proves that S3 minds conditions, one call for a hundred customers, one secret, and no HEAD."""
    calls, expected, read = history.calls, history.expected, history.report["objects"]["done"]
    lookups = history.report["lookups"]
    customers = {row["customer_id"] for row in expected.rows.values() if row["customer_id"]}
    unsafe = len(history.shop.sample.quirks["dotted_id"])  # no path is made of such an id
    assert calls["s3:GetObject"] == read + lookups["items"]["keys"] - unsafe
    assert lookups["items"]["keys"] <= read
    assert calls["s3:PutObject"] == len(expected.rows) + len(expected.quarantined) + 1
    assert calls["s3:HeadObject"] == 0
    assert calls["dynamodb:BatchGetItem"] <= math.ceil((len(customers) + len(expected.quarantined)) / 100)
    assert calls["secretsmanager:GetSecretValue"] == 1
    assert set(calls) == {
        "s3:ListObjectsV2",
        "s3:GetObject",
        "s3:PutObject",
        "dynamodb:BatchGetItem",
        "logs:FilterLogEvents",
        "secretsmanager:GetSecretValue",
    }


def test_the_log_is_read_once_whatever_the_number_of_orders(history: History) -> None:
    """The windows of all orders are merged, and each line within is read once: no more calls than its pages."""
    rows = [*history.expected.rows.values()]
    lines = [at for at, _ in history.shop.sample.logs]
    windows = _windows(rows)
    pages = sum(
        max(1, math.ceil(sum(a.timestamp() * 1000 <= at <= b.timestamp() * 1000 for at in lines) / PAGE))
        for a, b in windows
    )
    assert history.calls["logs:FilterLogEvents"] <= pages


def test_mysql_sends_only_the_stores_that_were_asked_for(history: History) -> None:
    """One connection, at most two queries, and no row of the million that no order names."""
    assert history.mysql.connections == 1
    assert history.mysql.selects <= 2
    assert history.mysql.rows_sent <= history.report["lookups"]["stores"]["keys"]


def test_the_report_counts_what_the_servers_counted(history: History) -> None:
    """Every call in the report was seen at a server, and the other way round."""
    calls = Counter(history.report["calls"])
    mysql = {name: calls.pop(name) for name in [*calls] if name.startswith("mysql:")}
    assert calls == history.calls
    assert mysql == {"mysql:Connect": history.mysql.connections, "mysql:Query": history.mysql.selects}
