"""Each difference between what came and what was expected is reported at its place."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kit.tables import table
from plait.testing.cases.compare import show_pair
from plait.testing.cases.suite import run
from unit.testing.cases.conftest import Cases, one_case

DIFFERENCES = table(Path(__file__).parent / "differences.yaml")


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row["problem"])
def test_each_difference_is_reported_at_its_place(cases: Cases, row: dict[str, str]) -> None:
    given = f"fraud: [], {row['given']}"
    text = one_case(given, row.get("expect", "[]"), 'now: "2026-07-02T00:00:00Z"')
    suite = cases(text.replace("json", "modified: 2026-07-01, json"))
    assert suite.problems == ()
    [result] = run(suite, suite.cases)
    reported = [f"{p.span.line}:{p.span.column} {p.message}" for p in result.problems if p.span]
    assert row["problem"].replace(" ", " case `a case`: ", 1) in reported


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (("", 'a "b"'), ("''", 'a "b"')),
        ((None, Decimal("12.50")), ("null", "12.50")),
        ((datetime(2026, 7, 1, 10, tzinfo=UTC), b"\x00"), ("2026-07-01T10:00:00Z", "AA==")),
        (([{"a": "x"}], "3"), ("[{a: x}]", "'3'")),
        (("x" * 200 + "left" + "y" * 200, "x" * 200 + "right"), (f"…{'x' * 20}left{'y' * 16}…", f"…{'x' * 20}right")),
    ],
)  # fmt: skip
def test_two_values_are_shown_as_a_file_has_them_and_long_ones_around_their_first_difference(
    values: tuple[Any, Any], shown: tuple[str, str]
) -> None:
    assert show_pair(*values) == shown
