"""What the engine does, as data: each case of `tests/data/cases` runs the real phases over the rows that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.paths import DATA
from plait.testing.cases.case import Case
from plait.testing.cases.suite import CASES_ENDING, Suite, load, run, spec_of

FILES = sorted((DATA / "cases").glob(f"*{CASES_ENDING}"))
FAULTS = {"joins": ("L1", "L3", "W2"), "undeclared": ("J8", "J9"), "waiting": ("C1", "W1")}


def cases() -> Iterator[Any]:
    """Every case with the suite that it is of, marked with the faults of its topic."""
    for file in FILES:
        topic, suite = file.name.removesuffix(CASES_ENDING), load(spec_of(str(file)))
        ids = FAULTS.get(topic.split("_")[0], ())
        for case in suite.file.cases:
            yield pytest.param(suite, case, id=f"{topic}: {case.name}", marks=pytest.mark.fault(*ids))


@pytest.mark.parametrize(("suite", "case"), [*cases()])
def test_each_case_gives_the_rows_that_it_expects(suite: Suite, case: Case) -> None:
    [result] = run(suite, [case])
    assert (*suite.problems, *result.problems) == ()


def test_every_spec_has_its_cases() -> None:
    specs = {file for file in FILES[0].parent.glob("*.yaml") if file not in FILES}
    assert specs == {Path(spec_of(str(file))) for file in FILES}
