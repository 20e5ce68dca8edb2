"""`plait plan` predicts the calls of a run by formulas, and their price."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kit.paths import ROOT
from kit.specs import valid
from plait.cli.main import main
from plait.cli.views.costs import cost_document, cost_paragraphs
from plait.language.spec import Spec
from plait.language.validate import validate_for_run
from plait.plan.costs import (
    Forecast,
    assumptions_of_report,
    default_assumptions,
    forecast,
    price_list,
    swings,
)
from plait.plan.rates import batching, rates
from plait.plugin import Calls, Connector, Lookup, Options

SPEC = ROOT / "pipelines" / "transactions.yaml"
LOOKUPS = ("items", "stores", "activity", "fraud")
REPORT = {
    "objects": {"seen": 12, "skipped": 2},
    "records": {"quarantined": 1},
    "calls": {"s3:GetObject": 20, "secretsmanager:GetSecretValue": 1},
    "file_count": 9,
    "seconds": {"read": 0.5},
    "lookups": {name: {"keys": 10, "cached": 1, "fetches": 2, "calls": 3} for name in LOOKUPS},
}


@pytest.fixture(scope="module")
def spec() -> Spec:
    spec = validate_for_run(str(SPEC), {}).spec
    assert spec
    return spec


def test_a_month_of_a_million_orders_costs_as_the_table_says(spec: Spec) -> None:
    """Two million GETs, a million PUTs and a read unit for each customer, with the table's prices by hand."""
    lines = forecast(spec, default_assumptions(spec, 1_000_000)).lines
    prices = price_list().prices
    by_hand = 2 * prices["s3:GetObject"].dollars + prices["s3:PutObject"].dollars
    by_hand += prices["dynamodb:BatchGetItem"].dollars
    services = [line for line in lines if line.source != "delivery" and "secret" not in line.operation]
    assert sum(line.dollars or 0 for line in services) == pytest.approx(by_hand)


def test_every_call_of_a_spec_has_a_price_or_is_no_service_of_aws(spec: Spec) -> None:
    operations = {line.operation for line in forecast(spec, default_assumptions(spec)).lines}
    unpriced = operations - set(price_list().prices)
    assert {operation.partition(":")[0] for operation in unpriced} <= {"mysql"}


class Priceless(Lookup[Options]):
    """A look-up whose calls have a price that nobody knows."""

    def fetch(self, keys: Any) -> Any:
        return ()

    def calls(self) -> list[Calls]:
        return [Calls(operation="acme:Fetch", quantity="keys")]


def test_what_has_no_known_price_is_told_and_left_out_of_the_sum(spec: Spec) -> None:
    """It would look free otherwise; what a server's price has in it is free."""
    connector = Connector("acme", "Acme.", Options, lookup=Priceless, distribution="`plait-acme` 1")
    first, *others = spec.lookups
    odd = replace(spec, lookups=(replace(first, connector=connector, options=Options()), *others))
    costs = forecast(odd, default_assumptions(odd))
    [line] = [line for line in costs.lines if line.operation == "acme:Fetch"]
    assert (line.number, line.dollars, costs.unpriced) == (1_000_000, None, ["acme:Fetch"])
    assert costs.dollars == pytest.approx(sum(line.dollars or 0 for line in costs.lines))
    text = "\n".join(cost_paragraphs(odd, costs, None, None))
    assert re.search(r"acme:Fetch +1,000,000 .* unknown price", text)
    assert f"price: ${costs.dollars:,.2f} without acme:Fetch, of unknown price, at list" in text
    document = cost_document(odd, costs, None, None)
    assert document["unpriced"] == ["acme:Fetch"]
    assert "unknown price" not in "\n".join(
        cost_paragraphs(spec, forecast(spec, default_assumptions(spec)), None, None)
    )


def test_the_table_of_prices_tells_its_date_and_quotas_of_operations_that_have_a_price() -> None:
    table = price_list()
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", table.as_of)
    assert set(table.quotas) <= set(table.prices)
    assert all(quota.per_second > 0 for quota in table.quotas.values())


@given(st.integers(1, 10_000), st.integers(1, 100_000))
def test_the_formula_of_chunks_counts_a_call_for_each_chunk_of_each_batch(batch: int, objects: int) -> None:
    """Keys spread evenly over the batches are asked in chunks of a hundred."""
    spec = validate_for_run(str(SPEC), {}).spec
    assert spec
    sized = replace(spec, deploy=replace(spec.deploy, batch=batch))
    calls = forecast(sized, default_assumptions(sized, objects)).calls
    batches = math.ceil(objects / batch)
    assert calls["dynamodb:BatchGetItem"] == batches * math.ceil(objects / batches / 100)


def test_the_price_is_most_moved_by_what_costs_most(spec: Spec) -> None:
    """Doubling an assumption adds what its lines cost, and the most expensive comes first."""
    (name, dollars), *others = swings(spec, default_assumptions(spec))
    assert name == "files"
    assert dollars == pytest.approx(price_list().prices["s3:PutObject"].dollars)
    additions = [dollars, *(added for _, added in others)]
    assert additions == sorted(additions, reverse=True)


@pytest.mark.parametrize("rate", [10, 200, 2_000])
def test_the_advised_batch_is_the_smallest_that_reaches_the_rate(spec: Spec, rate: int) -> None:
    """One object fewer a batch would be too slow for a default quota."""

    def forecast_for(size: int) -> Forecast:
        sized = replace(spec, deploy=replace(spec.deploy, batch=size))
        return forecast(sized, default_assumptions(sized))

    advice = batching(rate, forecast_for)
    assert advice
    assert advice.reached >= rate
    if advice.batch > 1:
        limits = rates(forecast_for(advice.batch - 1))
        assert min(limit.objects for limit in limits) < rate
        assert advice.window_seconds * rate >= advice.batch
    assert batching(1e9, forecast_for) is None


def test_a_spec_on_folders_calls_only_its_services() -> None:
    spec = validate_for_run(str(SPEC), {"raw": "./sample", "lake": "./out"}).spec
    assert spec
    calls = forecast(spec, default_assumptions(spec)).calls
    assert not [operation for operation in calls if operation.startswith("s3:")]


def test_the_json_has_the_whole_forecast(spec: Spec) -> None:
    document = forecast_as_json()
    assert document["calls"] == forecast(spec, default_assumptions(spec)).calls
    assert document["batching"]["batch"] == 40
    assert "s3:PutObject" in document["iam_actions"]


def forecast_as_json() -> dict[str, Any]:
    """What `plait plan` prints of the forecast."""
    result = CliRunner().invoke(main, ["plan", str(SPEC), "-o", "json", "--rate", "200"])
    document: dict[str, Any] = json.loads(result.stdout)["forecast"]
    return document


def test_a_report_gives_its_own_quantities(spec: Spec) -> None:
    values = {assumption.name: assumption.value for assumption in assumptions_of_report(spec, REPORT)}
    assert (values["objects"], values["items.keys"], values["fraud.pages"], values["starts"]) == (10, 9, 3, 1)
    fetches = {name: value for name, value in values.items() if name.endswith(".fetches")}
    assert fetches == {"stores.fetches": 2, "activity.fetches": 2}
    workers = {**REPORT, "calls": {"secretsmanager:GetSecretValue": 4, "mysql:Connect": 4}}
    assert forecast(spec, assumptions_of_report(spec, workers)).calls["mysql:Connect"] == 4
    assert forecast(spec, assumptions_of_report(spec, REPORT)).calls["dynamodb:BatchGetItem"] == 2


def test_every_key_of_the_json_is_documented_and_no_other() -> None:
    """`pipelines/COSTS.md` has a row for each, and one for each quantity."""
    page = (ROOT / "pipelines" / "COSTS.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([^`]+)` \|", page.partition("## As JSON")[2], re.MULTILINE))
    document = forecast_as_json()
    printed = set()
    for key, value in document.items():
        if isinstance(value, list):
            first = next(iter(value), "")
            printed |= {f"{key}[].{name}" for name in first} if isinstance(first, dict) else {f"{key}[]"}
        else:
            printed |= {f"{key}.{name}" for name in value} if key == "prices" else {key}
    assert documented == printed
    quantities = {
        assumption["name"].replace("items", "NAME").replace("fraud", "NAME")
        for assumption in document["assumptions"]
    }
    of_report = [
        assumption.name for assumption in assumptions_of_report(valid(SPEC.read_text("utf-8")), REPORT)
    ]
    quantities |= {name.replace("stores", "NAME") for name in of_report}
    text = SPEC.read_text(encoding="utf-8").replace("sink:\n", "sink:\n  table: shop.transactions\n")
    names = {assumption.name for assumption in default_assumptions(valid(text))}
    quantities |= {name for name in names if "." not in name}
    rows = set(re.findall(r"^\| `([^`]+)` \|", page.partition("## Prices")[0], re.MULTILINE))
    assert rows == {name for name in quantities if name.partition(".")[0] not in LOOKUPS}


def test_the_plan_says_what_the_event_rule_lets_through() -> None:
    """EventBridge's `*` does not stop at a folder, so more events arrive than are read."""
    printed = CliRunner().invoke(main, ["plan", str(SPEC)]).stdout
    assert "event rule: keys `transactions/*.json` of `shop-raw`" in printed
    assert "skipped and counted" in printed
