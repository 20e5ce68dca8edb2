"""The rule of EventBridge that a path becomes lets through what the pipeline reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from kit.events import created, sent
from kit.iam_server import matches
from plait.deploy.stack import event_pattern
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


@pytest.mark.fault("E7")
@given(st.sampled_from(PATHS), st.lists(pieces, min_size=1, max_size=6).map("".join))
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
