"""What the sources hold is in the lake, in the quarantine and in what `preview` prints, and nowhere else."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest

from kit.function.runtime import Function
from kit.locked import locked
from kit.oracle import oracle
from kit.shop import SPEC, announced, edited_spec, queue
from kit.watch.canaries import PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kit.shop import Shop

GOOD: dict[str, Any] = {"transaction_id": "p", "ordered_at": "2026-07-01T10:00:00Z", "store_id": 2}
# Each of these texts is where a type, a key or a decoding has to refuse it; none may be shown.
BAD: dict[str, dict[str, Any]] = {
    "integer": {"store_id": f"{PAYLOAD}store"},
    "moment": {"ordered_at": f"{PAYLOAD}time"},
    "money": {"total": f"{PAYLOAD}total"},
    "list": {"customer_id": [f"{PAYLOAD}list"]},
    "base64": {"embedded_data": f"{PAYLOAD}embedded"},
    "json": {"embedded_data": "Y2FuYXJ5LXBheWxvYWQtMQ=="},
    "key": {f"{PAYLOAD}key": 1, "transaction_id": f"{PAYLOAD}a/../b"},
    "absent": {"transaction_id": None, "note": f"{PAYLOAD}note"},
}
CELLS = f"sku,quantity,unit_price\n{PAYLOAD}sku,{PAYLOAD}quantity,1.50\n"
PREFIX = "payload/transactions"


DEBUG = """
import logging
logging.basicConfig(level=logging.DEBUG)
from plait.cli.main import main
main()
"""


def command(shop: Shop, lake: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `plait` with all logging on."""
    words = [sys.executable, "-P", "-c", DEBUG, *arguments]
    return subprocess.run(words, env=shop.environment(lake), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def bad(shop: Shop) -> Iterator[list[str]]:
    """The keys of bad orders, beside the sample."""
    bodies = {f"{PREFIX}/{name}.json": json.dumps({**GOOD, **more}) for name, more in BAD.items()}
    bodies[f"{PREFIX}/cells.json"] = json.dumps({**GOOD, "transaction_id": "cells"})
    bodies[f"{PREFIX}/cut.json"] = f'{{"note": "{PAYLOAD}cut'
    items = {
        "payload/items/cells.csv": CELLS,
        "payload/items/p.csv": CELLS.replace(f"{PAYLOAD}quantity", "1"),
    }
    for key, body in (bodies | items).items():
        shop.client.put_object(Bucket="shop-raw", Key=key, Body=body.encode())
    yield [*bodies]
    for key in bodies | items:
        shop.client.delete_object(Bucket="shop-raw", Key=key)


@pytest.mark.fault("S10")
def test_payload_is_in_the_lake_and_the_quarantine_and_in_nothing_that_the_function_says(
    shop: Shop, bad: list[str]
) -> None:
    """At DEBUG; the answers and logs of the function are searched, as everything is that tests see."""
    environment = {**shop.environment("payload"), "RAW": "s3://shop-raw/payload"}
    with Function(environment, timeout=120) as function:
        many = function.invoke(queue(bad))
        outcome = function.invoke(announced(bad[0]))
        report = function.invoke({"objects": [f"s3://shop-raw/{key}" for key in bad]})
    assert many.answer == {"batchItemFailures": []}
    assert outcome.answer["records"]["quarantined"] == 1
    assert report.answer["records"]["quarantined"] == len(bad)
    assert {problem["file"].rsplit("/", 1)[1] for problem in report.answer["problems"]} == {
        key.rsplit("/", 1)[1] for key in bad
    }
    records = [json.loads(body) for body in shop.lake("payload", "quarantine").values()]
    assert len(records) == len(bad)
    assert sum(PAYLOAD in record["message"] for record in records) >= 4
    assert sum(PAYLOAD in record["raw"] for record in records) >= len(bad) - 2


@pytest.mark.fault("S10")
def test_without_a_quarantine_an_error_that_the_function_raises_shows_no_payload(
    shop: Shop, bad: list[str], tmp_path: Any
) -> None:
    spec = edited_spec(tmp_path, {"quarantine: ${lake}/quarantine/transactions/\n": ""})
    more = {"RAW": "s3://shop-raw/payload", "PLAIT_SPEC": locked(spec)}
    with Function({**shop.environment("payload-raised"), **more}, timeout=120) as function:
        outcomes = [function.invoke(announced(key)) for key in bad]
    assert {outcome.kind for outcome in outcomes} == {"failed"}
    errors = [outcome.error or {} for outcome in outcomes]
    assert {error["errorType"] for error in errors} == {"GiveUp"}
    assert any("expected bigint, got a text" in error["errorMessage"] for error in errors)


@pytest.mark.fault("S10")
def test_plan_and_run_show_no_payload_and_preview_shows_it(shop: Shop, bad: list[str]) -> None:
    """`plan` and `run` are searched whole, `preview` but for its answer; all that is logged is among what they say."""
    raw = ("--param", "raw=s3://shop-raw/payload")
    assert command(shop, "payload-plan", "plan", str(SPEC)).returncode == 0
    ran = command(shop, "payload-run", "run", str(SPEC), *raw, "--all", "-o", "json")
    assert json.loads(ran.stdout)["records"]["quarantined"] == len(bad)
    key = min(oracle.expect(shop.sample).rows)
    shown = command(shop, "payload-preview", "preview", str(SPEC), "--object", f"s3://shop-raw/{key}")
    assert PAYLOAD in shown.stdout
    refused = command(
        shop, "payload-preview", "preview", str(SPEC), *raw, "--object", f"s3://shop-raw/{bad[0]}"
    )
    assert refused.stderr.count("[bad-value]") == 1


@pytest.mark.fault("S10")
def test_the_sample_of_all_these_tests_has_canaries_in_each_source(shop: Shop) -> None:
    """They reach the rows: what is searched for elsewhere was there to be found."""
    key = next(
        key for key, row in oracle.expect(shop.sample).rows.items() if row["items"] and row["loyalty_tier"]
    )
    handled = shop.fork("payload-rows", [queue([key])])
    assert handled.answers == [{"batchItemFailures": []}]
    [file] = shop.lake("payload-rows").values()
    [row] = pyarrow.parquet.read_table(io.BytesIO(file)).to_pylist()
    for value in (row["customer_id"], row["loyalty_tier"], row["items"][0]["sku"]):
        assert PAYLOAD in value
    assert any(PAYLOAD in line for _, line in shop.sample.logs)
    assert all(PAYLOAD in str(item["note"]) for item in shop.sample.activity)
    assert sum(PAYLOAD in (store.name or "") for store in shop.sample.stores) > 100
