"""What a spec fills into the stack: a rule that lets through what is read, a queue whose messages outlive the longest wait."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from kit.function.events import created, sent
from kit.servers.iam_server import matches
from plait.deploy.stack import event_pattern, redelivery
from plait.language.spec import LONGEST_WAIT
from plait.values.driver_path import DriverPath

PATHS = [
    "s3://shop-raw/transactions/*.json",
    "s3://shop-raw/transactions/**/*.json",
    "s3://shop-raw/transactions/{day}/{store}-*.json",
    "s3://shop-raw/**/x-*.json",
    "s3://shop-raw/transactions/2.json",
    "s3://shop-raw/**",
    "s3://shop-raw/a\\b{{c}}/*",
]
PIECES = [
    "transactions/",
    "transactions",
    "items/",
    "a\\b{c}/",
    "2026-07-01/",
    "7f3c",
    "x",
    "-",
    "/",
    " ",
    "+",
    "ñ",
    "日",
]
PIECES += ["*", "?", "\\", "2", ".", ".json", ".txt"]
pieces = st.sampled_from(PIECES)
segments = st.lists(
    st.sampled_from(["**", "*", "transactions", "x", "*x", "{a}", "x{b}", "*.json", "{c}-{d}"]),
    min_size=1,
    max_size=4,
).map(lambda parts: f"s3://shop-raw/{'/'.join(parts)}")
SECOND = timedelta(seconds=1)
seconds = st.integers(1, int(LONGEST_WAIT.total_seconds())).map(lambda n: n * SECOND)


@pytest.mark.fault("E7")
@given(st.sampled_from(PATHS) | segments, st.lists(pieces, min_size=1, max_size=6).map("".join))
def test_the_rule_of_a_path_lets_through_every_key_that_matches(path: str, key: str) -> None:
    """An EventBridge rule cannot stop at `/`; what it lets through besides is skipped by the run."""
    driver = DriverPath.parse(path)
    rule: Any = EventPattern.load(json.dumps(event_pattern(driver)))
    wildcard = "".join(part if isinstance(part, str) else "*" for part in driver.parts)
    loose = wildcard.replace("**", "*")
    assert rule.matches_event(created(key)) is matches(loose, f"s3://shop-raw/{key}")
    if driver.match(f"s3://shop-raw/{key}") is not None:
        assert rule.matches_event(created(key))
    assert not rule.matches_event(sent("eventbridge-deleted"))


def test_the_rule_of_a_path_has_the_form_that_eventbridge_accepts() -> None:
    r"""A path without a hole is compared as it is, holes in a row are one `*`, and a `\` is escaped."""
    expected = {
        "s3://shop-raw/one.json": "one.json",
        "s3://shop-raw/in/{day}/**/*.json": {"wildcard": "in/*/*.json"},
        "s3://shop-raw/in/**/{id}": {"wildcard": "in/*"},
        "s3://shop-raw/a\\b/*": {"wildcard": "a\\\\b/*"},
    }
    for path, key in expected.items():
        pattern = event_pattern(DriverPath.parse(path))
        assert pattern["detail"] == {"bucket": {"name": ["shop-raw"]}, "object": {"key": [key]}}


@pytest.mark.fault("W1")
@given(retry_for=seconds, timeout=st.integers(1, 900).map(lambda n: n * SECOND), window=st.integers(0, 300))
@example(retry_for=LONGEST_WAIT, timeout=SECOND, window=0)
@example(retry_for=LONGEST_WAIT, timeout=900 * SECOND, window=300)
def test_deliveries_outlast_the_wait_with_one_to_spare(
    retry_for: timedelta, timeout: timedelta, window: int
) -> None:
    """The last delivery but one finds the object old enough to be taken as it is, and the queue keeps the message."""
    settings = redelivery(retry_for, timeout, window * SECOND)
    assert (settings.receives - 2) * settings.visibility >= retry_for
    assert settings.receives * settings.visibility >= retry_for + 2 * settings.visibility
    assert settings.receives * settings.visibility <= settings.retention


@given(retry_for=seconds, timeout=st.integers(1, 900).map(lambda n: n * SECOND))
def test_the_settings_are_within_what_a_queue_takes(retry_for: timedelta, timeout: timedelta) -> None:
    """Whole seconds, a visibility of at least six timeouts and at most twelve hours, 1 to 1,000 deliveries."""
    settings = redelivery(retry_for, timeout)
    assert settings.visibility % SECOND == timedelta()
    assert 6 * timeout <= settings.visibility <= timedelta(hours=12)
    assert 5 <= settings.receives <= 1000
    assert timedelta(days=4) <= settings.retention <= timedelta(days=14)


def test_without_a_wait_a_failure_still_has_five_deliveries() -> None:
    assert redelivery(timedelta(), timedelta(minutes=1)).receives == 5


@pytest.mark.parametrize(
    ("retry_for", "timeout", "window"),
    [(14 * 86400, 60, 0), (600, 901, 0), (600, 0, 0), (600, 60, 301)],
)
def test_what_no_queue_or_function_can_do_is_refused(retry_for: int, timeout: int, window: int) -> None:
    with pytest.raises(ValueError, match=r"at most|longer than"):
        redelivery(retry_for * SECOND, timeout * SECOND, window * SECOND)
