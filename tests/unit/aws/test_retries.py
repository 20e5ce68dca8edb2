"""How long plait waits: what the environment sets, and never beyond the time of an invocation."""

from __future__ import annotations

import contextlib
import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.aws.retries import Deadline, RetryPolicy
from plait.engine.context import Services
from plait.plugin import GiveUp, TryAgain
from plait.storage.objects import Storage
from plait.storage.s3_store import open_store


def test_without_settings_a_call_may_take_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLAIT_TIMEOUT", "PLAIT_BACKOFF"):
        monkeypatch.delenv(name, raising=False)
    assert RetryPolicy.from_environment() == RetryPolicy(timeout=30, backoff=1)
    assert RetryPolicy.from_environment().connect == 10


def test_the_environment_sets_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIT_TIMEOUT", "2.5")
    monkeypatch.setenv("PLAIT_BACKOFF", "0")
    policy = Services().retry_policy
    assert (policy.timeout, policy.connect, policy.pause(9)) == (2.5, 2.5, 0)


@pytest.mark.parametrize(
    ("name", "text"),
    [("PLAIT_TIMEOUT", "0"), ("PLAIT_BACKOFF", "-1"), ("PLAIT_BACKOFF", "inf"), ("PLAIT_TIMEOUT", "2s")],
)
def test_a_setting_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(GiveUp, match=name) as caught:
        Services()
    assert name in str(caught.value.help)


def test_pauses_grow_are_random_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = RetryPolicy()
    longest = [max(policy.pause(attempt) for _ in range(200)) for attempt in (1, 4, 30)]
    assert longest == sorted(longest)
    assert longest[2] <= 10
    assert len({policy.pause(3) for _ in range(20)}) > 1


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(seconds=st.floats(0, 900), share=st.floats(0, 1))
def test_a_margin_of_the_time_stays_free_to_report_the_work(seconds: float, share: float) -> None:
    """A tenth of the time, one second at least and ten at most; the time left never grows and is never negative."""
    clock = Clock()
    deadline = Deadline(seconds, clock)
    margin = min(max(seconds / 10, 1), 10)
    assert deadline.seconds_left() == pytest.approx(max(seconds - margin, 0))
    clock.now += share * seconds
    left = deadline.seconds_left()
    assert 0 <= left <= deadline.seconds + 1e-6
    clock.now += 1
    assert deadline.seconds_left() <= left
    clock.now += 900
    assert deadline.seconds_left() == 0


def test_without_a_limit_there_is_always_time() -> None:
    assert Deadline().seconds_left() == math.inf
    assert Services().timeout() == Services().retry_policy.timeout


@pytest.fixture
def late() -> Services:
    """Services whose time is over."""
    services = Services()
    services.deadline = Deadline(0)
    return services


@pytest.mark.fault("P3")
def test_when_time_is_over_no_call_begins(late: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """No call of boto3, of obstore, or counted by a connector; each raises TryAgain."""
    settings = {"ENDPOINT_URL": "http://127.0.0.1:1", "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}
    for name, value in {**settings, "REGION": "eu-west-1", "DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    context = late.context("stores", None)
    [answer] = late.objects.get(["s3://bucket/key"])
    assert isinstance(answer, TryAgain)
    assert answer.code == "deadline"
    calls: list[Any] = [
        lambda: context.client("dynamodb").list_tables(),
        lambda: context.secret("shop/db"),
        lambda: context.count("mysql:Query"),
        context.timeout,
        lambda: context.pause(1),
    ]
    for call in calls:
        with pytest.raises(TryAgain) as caught:
            call()
        assert caught.value.code == "deadline"
    assert not late.calls


def test_a_call_waits_no_longer_than_there_is_time() -> None:
    services = Services()
    services.deadline = Deadline(6, Clock())
    assert services.timeout() == 5
    assert services.retry_policy_now().timeout == pytest.approx(5 / 3)
    services.deadline = Deadline(900, Clock())
    assert services.timeout() == services.retry_policy_now().timeout == 30


def test_a_pause_that_would_end_too_late_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(threading.Event, "wait", lambda _event, seconds: slept.append(seconds))
    services = Services()
    services.retry_policy = RetryPolicy(backoff=1e6)
    services.deadline = Deadline(2, Clock())
    for _ in range(9):
        with contextlib.suppress(TryAgain):
            services.pause(9)
    assert len(slept) < 9
    assert all(seconds < 1 for seconds in slept)


@given(timeout=st.floats(0.001, 900), backoff=st.floats(0, 10))
def test_obstore_takes_any_retry_policy(timeout: float, backoff: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        open_store("bucket", RetryPolicy(timeout=timeout, backoff=backoff))


def test_settings_that_obstore_refuses_are_no_reason_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "maybe")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    [answer] = Storage(lambda *_: None).get(["s3://bucket/key"])
    assert isinstance(answer, GiveUp)
    assert answer.help
