"""What a run over history takes, told before it begins."""

from __future__ import annotations

import pytest

from kit.paths import ROOT
from plait.language.spec import Spec
from plait.language.validate import validate_for_run
from plait.plan.costs import price_list
from plait.plan.estimate import estimate


@pytest.fixture(scope="module")
def spec() -> Spec:
    spec = validate_for_run(str(ROOT / "pipelines" / "transactions.yaml"), {}).spec
    assert spec
    return spec


def test_calls_and_price_are_those_of_the_objects_without_the_function(spec: Spec) -> None:
    """Two GETs and a PUT an object, a page of the log a batch, a login a process; no queue, no invocation."""
    calls = estimate(spec, 100_000, batch=1_000, processes=4, max_rates={}).costs.calls
    assert calls == {
        "dynamodb:BatchGetItem": 1_000,
        "logs:FilterLogEvents": 100,
        "mysql:Connect": 4,
        "mysql:Query": 100,
        "s3:GetObject": 200_000,
        "s3:PutObject": 100_000,
        "secretsmanager:GetSecretValue": 4,
    }
    prices = price_list().prices
    dollars = (0.2 * prices["s3:GetObject"].dollars) + 0.1 * prices["s3:PutObject"].dollars
    dollars += 0.05 * prices["dynamodb:BatchGetItem"].dollars * 2
    told = estimate(spec, 100_000, batch=1_000, processes=4, max_rates={}).costs.dollars
    assert told == pytest.approx(dollars, rel=0.01)


def test_the_tightest_limit_says_how_long_it_takes_at_least(spec: Spec) -> None:
    """By default the 3,500 PUTs a second; a rate of one's own counts all calls of its service."""
    alone = estimate(spec, 100_000, batch=1_000, processes=1, max_rates={})
    assert alone.limits[0].operation == "s3:PutObject"
    assert alone.seconds == pytest.approx(100_000 / 3_500)
    slower = estimate(
        spec, 100_000, batch=1_000, processes=1, max_rates={"s3": 1_000, "logs": 1, "nobody": 1}
    )
    assert [(limit.operation, limit.scope) for limit in slower.limits[:2]] == [
        ("s3", "`--max-rate`"),
        ("logs", "`--max-rate`"),
    ]
    assert slower.seconds == pytest.approx(300)


def test_the_function_has_its_price_and_no_queue(spec: Spec) -> None:
    told = estimate(spec, 100_000, batch=1_000, processes=10, max_rates={}, by_function=True)
    ours = estimate(spec, 100_000, batch=1_000, processes=10, max_rates={})
    added = {line.operation for line in told.costs.lines} - {line.operation for line in ours.costs.lines}
    assert added == {"lambda:Invoke", "lambda:GBSeconds"}
    assert told.costs.calls == ours.costs.calls
    assert told.costs.dollars > ours.costs.dollars
