"""An invocation answers before its time ends, however slow the services are; what is not done then comes again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.faults.stage import REQUESTS
from kit.function.runtime import Function
from kit.network import faults
from kit.network.tcp import Weather
from kit.shop import queue
from plait.aws_lambda import deadline as invocation
from plait.problems.errors import InternalError
from reliability.budget import budget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.faults.stage import Delivered, Stage
    from kit.function.runtime import Outcome

LIMIT = 2.5


@pytest.fixture
def function(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    """The pipeline as Lambda runs it, of which no call gives up by itself before the time is over."""
    stage.begin(monkeypatch)
    with Function(
        {**stage.shop.environment("faults"), **stage.environment(), "PLAIT_TIMEOUT": "60"}
    ) as function:
        warm = function.invoke(_event(stage))
        assert warm.answer == {"batchItemFailures": []}
        yield function
    stage.mend()


def _event(stage: Stage) -> dict[str, Any]:
    return queue([f"faults/{key}" for key in stage.keys])


def _report(outcome: Outcome) -> dict[str, Any]:
    lines = [json.loads(line) for line in outcome.log.splitlines() if line.startswith('{"message": "report"')]
    return dict(lines[-1])


@pytest.mark.fault("P3")
def test_a_function_whose_services_fall_silent_answers_and_lives_on(stage: Stage, function: Function) -> None:
    """All calls hang: each message comes again with the code `deadline`, nobody is killed, the next event is done."""
    calm = stage.lake()
    for operation in ("s3:GetObject", "dynamodb:BatchGetItem", "logs:FilterLogEvents"):
        stage.proxy.on(1, "before", faults.stall(), operation=operation, forever=True)
    outcome = function.invoke(_event(stage), timeout=LIMIT)
    assert outcome.kind == "answered"
    assert {failure["itemIdentifier"] for failure in outcome.answer["batchItemFailures"]} == {"0", "1", "2"}
    report = _report(outcome)
    assert report["objects"]["retry"] == 3
    assert {problem["code"] for problem in report["problems"]} == {"deadline"}
    assert all(problem["help"] for problem in report["problems"])

    stage.mend()
    assert function.invoke(_event(stage)).answer == {"batchItemFailures": []}
    assert stage.lake() == calm
    assert function.starts == 1


@pytest.mark.fault("P3")
@pytest.mark.parametrize("service", ["sink-put", "quarantine-put", "head", "logs", "mysql-connect"])
def test_wherever_the_time_ends_a_redelivery_completes_the_lake(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """Also in the middle of writing: what was written stays, what was not is written by the next delivery."""
    stage.begin(monkeypatch, PLAIT_TIMEOUT="60")
    if service == "head":
        stage.deliver()
    if service == "mysql-connect":
        stage.tcp.weather = Weather(stall_after=20)
    else:
        operation, path = REQUESTS[service]
        stage.proxy.on(1, "before", faults.stall(), operation=operation, path=path, forever=True)
    delivered = stage.deliver(seconds=LIMIT)
    assert delivered.raised is None
    assert delivered.failures
    assert delivered.report["objects"]["retry"] == len(delivered.failures)
    stage.mend()
    assert stage.deliver(sorted(delivered.failures)).failures == set()
    assert len(stage.lake()) == 3


late = st.sampled_from([0.0, 0.05, 0.4, 2.0, None])
services = sorted(REQUESTS.keys() - {"list", "replace-put"})
TRIED = budget(6, 60)


@pytest.mark.fault("P3")
@settings(max_examples=TRIED, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    latencies=st.fixed_dictionaries(dict.fromkeys(services, late)),
    mysql=st.sampled_from([0.0, 0.02, 0.2]),
    limit=st.sampled_from([1.2, 1.8, 2.5, 4.0]),
)
def test_any_latencies_leave_time_to_answer(
    stage: Stage, latencies: dict[str, float | None], mysql: float, limit: float
) -> None:
    """Every service late by some time of its own, or silent: either all is done, or the rest comes again; never neither."""
    with pytest.MonkeyPatch.context() as patch:
        stage.begin(patch)
        for service, seconds in latencies.items():
            operation, path = REQUESTS[service]
            action = faults.stall() if seconds is None else faults.delay(seconds)
            stage.proxy.on(1, "before", action, operation=operation, path=path, forever=True)
        stage.tcp.weather = Weather(latency=mysql)
        delivered = stage.deliver(seconds=limit)
        assert delivered.raised is None, delivered.seen
        objects = delivered.report["objects"]
        assert objects["seen"] == objects["done"] + objects["retry"] == 3
        assert len(delivered.failures) == objects["retry"]
        stage.mend()
        if delivered.failures:
            assert stage.deliver(sorted(delivered.failures)).failures == set()
        assert len(stage.lake()) == 3


@pytest.mark.fault("P3")
def test_objects_whose_turn_never_came_come_again_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices are done one after the other: those before the time ended are done, the others are not begun."""
    stage.begin(monkeypatch)
    stage.deliver()
    monkeypatch.setattr(invocation, "SLICE_SIZE", 1)
    slow, (operation, path) = faults.delay(0.9), REQUESTS["driver-get"]
    stage.proxy.on(1, "before", slow, operation=operation, path=path, forever=True)
    delivered = stage.deliver(["0", "1"], seconds=LIMIT)
    assert (delivered.failures, delivered.report["objects"]["done"]) == ({"1"}, 1)
    assert [problem["code"] for problem in delivered.report["problems"]] == ["deadline"]
    stage.mend()
    assert stage.deliver(["1"]).failures == set()


@pytest.mark.fault("W5")
def test_pages_without_end_end_with_the_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log group that always has one more empty page is read until there is no time left, and not for ever."""
    stage.begin(monkeypatch)
    pages = iter(range(10**9))

    def page() -> faults.Answer:
        body = json.dumps({"events": [], "nextToken": f"token-{next(pages)}"}).encode()
        return faults.Answer(200, body, "application/x-amz-json-1.1")

    stage.proxy.on(1, "before", page, operation="logs:FilterLogEvents", forever=True)
    delivered: Delivered = stage.deliver(seconds=LIMIT)
    assert delivered.failures >= {"0", "1"}
    assert {problem["code"] for problem in delivered.errors()} == {"deadline"}
    assert next(pages) > 5


def test_a_failure_of_ours_is_not_hidden_by_the_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug raises as it would without a deadline."""
    stage.begin(monkeypatch)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("plait.engine.engine.Engine.run", broken)
    raised = stage.deliver(seconds=LIMIT).raised
    assert isinstance(raised, InternalError)
    assert "ZeroDivisionError" in str(raised)
