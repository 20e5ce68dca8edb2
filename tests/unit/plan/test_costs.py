"""What `plait plan` predicts: formulas that give exactly the calls that were counted, and a price."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kit.paths import ROOT
from plait.cli.main import main
from plait.language.spec import Spec
from plait.language.validate import bound
from plait.plan.costs import assumed, batching, forecast, of_report, rates, swings
from plait.plan.prices import PRICES

SPEC = ROOT / "pipelines" / "transactions.yaml"


@pytest.fixture(scope="module")
def spec() -> Spec:
    found = bound(str(SPEC), {}).spec
    assert found
    return found


def test_a_month_of_a_million_orders_costs_as_the_table_says(spec: Spec) -> None:
    """Two million GETs, a million PUTs and a read unit for each customer, with the table's prices by hand."""
    made = forecast(spec, assumed(spec, 1_000_000))
    by_hand = 2 * PRICES["s3:GetObject"].dollars + PRICES["s3:PutObject"].dollars
    by_hand += PRICES["dynamodb:BatchGetItem"].dollars
    services = [line for line in made.lines if line.source != "delivery" and "secret" not in line.operation]
    assert sum(line.dollars for line in services) == pytest.approx(by_hand)


def test_every_call_of_a_spec_has_a_price_or_is_no_service_of_aws(spec: Spec) -> None:
    unpriced = {line.operation for line in forecast(spec, assumed(spec)).lines} - set(PRICES)
    assert {name.partition(":")[0] for name in unpriced} <= {"mysql"}


@given(st.integers(1, 10_000), st.integers(1, 100_000))
def test_the_formula_of_chunks_counts_a_call_for_each_chunk_of_each_batch(batch: int, objects: int) -> None:
    """Keys spread evenly over the batches are asked in chunks of a hundred."""
    found = bound(str(SPEC), {}).spec
    assert found
    sized = replace(found, deploy=replace(found.deploy, batch=batch))
    made = forecast(sized, assumed(sized, objects))
    batches = math.ceil(objects / batch)
    wanted = batches * math.ceil(objects / batches / 100)
    assert made.calls["dynamodb:BatchGetItem"] == wanted


def test_the_price_is_most_moved_by_what_costs_most(spec: Spec) -> None:
    """Doubling an assumption adds what its lines cost, and the dearest comes first."""
    moved = swings(spec, assumed(spec))
    assert moved[0][0] == "files"
    assert moved[0][1] == pytest.approx(PRICES["s3:PutObject"].dollars)
    assert [added for _, added in moved] == sorted((added for _, added in moved), reverse=True)


@pytest.mark.parametrize("rate", [10, 200, 2_000])
def test_the_advised_batch_is_the_smallest_that_reaches_the_rate(spec: Spec, rate: int) -> None:
    """One object fewer a batch would be too slow for a default quota."""

    def at(size: int) -> Any:
        sized = replace(spec, deploy=replace(spec.deploy, batch=size))
        return forecast(sized, assumed(sized))

    advised = batching(rate, at)
    assert advised
    assert advised.reached >= rate
    assert advised.batch == 1 or min(one.objects for one in rates(at(advised.batch - 1))) < rate
    assert advised.window_seconds * rate >= advised.batch or advised.batch == 1
    assert batching(1e9, at) is None


def test_a_spec_on_folders_calls_only_its_services(spec: Spec) -> None:
    found = bound(str(SPEC), {"raw": "./sample", "lake": "./out"}).spec
    assert found
    assert not [name for name in forecast(found, assumed(found)).calls if name.startswith("s3:")]


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"objects": 3}'])
def test_a_file_that_is_no_report_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    report = tmp_path / "report.json"
    report.write_text(text)
    ended = CliRunner().invoke(main, ["plan", str(SPEC), "--like", str(report)])
    assert ended.exit_code == 2
    assert "no report of `transactions`" in ended.stderr


def test_the_json_has_the_whole_forecast(spec: Spec) -> None:
    ended = CliRunner().invoke(main, ["plan", str(SPEC), "-o", "json", "--rate", "200"])
    told = json.loads(ended.stdout)["forecast"]
    assert told["calls"] == forecast(spec, assumed(spec)).calls
    assert told["batching"]["batch"] == 40
    assert "s3:PutObject" in told["iam_actions"]


def test_a_report_gives_its_own_quantities(spec: Spec) -> None:
    report = {
        "objects": {"seen": 12, "skipped": 2},
        "records": {"quarantined": 1},
        "calls": {"s3:GetObject": 20, "secretsmanager:GetSecretValue": 1},
        "files": [{}] * 9,
        "seconds": {"read": 0.5},
        "lookups": {
            name: {"keys": 10, "cached": 1, "calls": 3} for name in ("items", "stores", "activity", "fraud")
        },
    }
    values = {one.name: one.value for one in of_report(spec, report)}
    assert (values["objects"], values["items.keys"], values["fraud.pages"], values["starts"]) == (10, 9, 3, 1)


def test_every_key_of_the_json_is_documented_and_no_other() -> None:
    """`pipelines/COSTS.md` has a row for each, and one for each quantity."""
    page = (ROOT / "pipelines" / "COSTS.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([^`]+)` \|", page.partition("## As JSON")[2], re.MULTILINE))
    ended = CliRunner().invoke(main, ["plan", str(SPEC), "-o", "json", "--rate", "200"])
    told = json.loads(ended.stdout)["forecast"]
    found = set()
    for key, value in told.items():
        if isinstance(value, list):
            found |= {f"{key}[].{name}" for name in value[0]} if isinstance(value[0], dict) else {f"{key}[]"}
        else:
            found |= {f"{key}.{name}" for name in value} if key == "prices" else {key}
    assert documented == found
    quantities = {
        one["name"].replace("items", "NAME").replace("fraud", "NAME") for one in told["assumptions"]
    }
    rows = set(re.findall(r"^\| `([^`]+)` \|", page.partition("## Prices")[0], re.MULTILINE))
    assert rows == {name for name in quantities if name.partition(".")[0] not in ("stores", "activity")}


def test_the_plan_says_what_the_event_rule_lets_through(spec: Spec) -> None:
    """EventBridge's `*` does not stop at a folder, so more events arrive than are read."""
    told = CliRunner().invoke(main, ["plan", str(SPEC)]).stdout
    assert "event rule: keys `transactions/*.json` of `shop-raw`" in told
    assert "skipped and counted" in told
