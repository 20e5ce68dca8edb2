"""Each difference between what came and what was expected is reported at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.tables import table
from plait.testing.cases.suite import run
from unit.testing.cases.conftest import Cases, one_case

DIFFERENCES = table(Path(__file__).parent / "differences.yaml")


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row["problem"])
def test_each_difference_is_reported_at_its_place(cases: Cases, row: dict[str, str]) -> None:
    given = f"fraud: [], {row['given']}"
    text = one_case(given, row.get("expect", "[]"), 'now: "2026-07-02T00:00:00Z"')
    suite = cases(text.replace("json", "modified: 2026-07-01, json"))
    assert suite.problems == ()
    [result] = run(suite, suite.file.cases)
    reported = [f"{p.span.line}:{p.span.column} {p.message}" for p in result.problems if p.span]
    assert row["problem"].replace(" ", " case `a case`: ", 1) in reported
