"""What the engine does, as data: each case of `tests/data/cases` runs the real phases over the rows that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kit.paths import DATA
from plait.testing.cases.case import Case, Suite
from plait.testing.cases.suite import CASES_ENDING, load, run, spec_of

FOLDER = DATA / "cases"
SPECS = [spec for spec in sorted(FOLDER.glob("*.yaml")) if not spec.name.endswith(CASES_ENDING)]
SUITES = {spec.stem: load(str(spec)) for spec in SPECS}
FAULTS = {"joins": ("L1", "L3", "W2"), "waiting": ("C1", "W1")}


def cases() -> Iterator[Any]:
    """Every case with the suite that it is of, marked with the faults of its topic."""
    for topic, suite in SUITES.items():
        faults = pytest.mark.fault(*FAULTS.get(topic.split("_")[0], ()))
        for case in suite.cases:
            yield pytest.param(suite, case, id=f"{topic}: {case.name}", marks=faults)


@pytest.mark.parametrize("topic", SUITES)
def test_a_spec_and_its_cases_are_right(topic: str) -> None:
    assert SUITES[topic].problems == ()
    assert SUITES[topic].cases


@pytest.mark.parametrize(("suite", "case"), [*cases()])
def test_each_case_gives_the_rows_that_it_expects(suite: Suite, case: Case) -> None:
    [result] = run(suite, [case])
    assert result.problems == ()


def test_every_file_of_cases_has_its_spec() -> None:
    assert {spec_of(str(file)) for file in FOLDER.glob(f"*{CASES_ENDING}")} == {*map(str, SPECS)}
