"""The report keeps the first problems, however many there are."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from plait.engine.report import MAX_PROBLEMS, Report
from plait.problems.problem import Problem


class Unwalked(list[Problem]):
    """A list that is only added to."""

    def __iter__(self) -> Any:
        raise AssertionError("walked through")


@pytest.mark.parametrize("level", ["error", "warning"])
def test_a_problem_is_kept_without_a_look_at_the_others(level: Literal["error", "warning"]) -> None:
    """So a run of a million bad records takes no longer for the last than for the first."""
    report = Report(pipeline="p", spec_digest="d", problems=Unwalked())
    other: Literal["error", "warning"] = "warning" if level == "error" else "error"
    for number in range(MAX_PROBLEMS + 5):
        report.add_problem(Problem(code="c", message=str(number), file="f", level=level))
    report.add_problem(Problem(code="c", message="other", file="f", level=other))
    kept = [report.problems[n].message for n in range(len(report.problems))]
    assert kept == [*map(str, range(MAX_PROBLEMS)), "other"]
