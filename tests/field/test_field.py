"""Inputs from the field, by kind: what people sent to tools that do this job, and what becomes of it here.

`KIND.yaml` holds documents in turn: a spec, then the file of cases that `plait test` would read beside it. The
description of a case begins with the public report that it was made after (`owner/repo#number`), or says how it was
found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from plait.testing.cases.case import Case, Suite
from plait.testing.cases.read import read_suite
from plait.testing.cases.suite import run

REPORT = re.compile(r"[\w.-]+/[\w.-]+#\d+|tried as a new user would|after ")


def suites() -> Iterator[Any]:
    """Each spec of each kind with its cases."""
    for file in sorted(Path(__file__).parent.glob("*.yaml")):
        documents = re.split(r"(?m)^---\n", file.read_text())
        for number, (spec, cases) in enumerate(zip(documents[::2], documents[1::2], strict=True)):
            suite = read_suite(f"{file.stem}.yaml", spec, f"{file.stem}.test.yaml", cases.encode())
            yield pytest.param(suite, id=f"{file.stem}-{number}")


SUITES = [*suites()]
CASES = [
    pytest.param(suite, case, id=f"{parameter.id}: {case.name}")
    for parameter in SUITES
    for suite in parameter.values
    for case in suite.cases
]


@pytest.mark.parametrize("suite", SUITES)
def test_a_kind_has_a_right_spec_and_each_input_names_its_report(suite: Suite) -> None:
    assert suite.problems == ()
    blocks = yaml.safe_load(suite.texts[suite.file])["cases"]
    assert [name for name, block in blocks.items() if not REPORT.match(block.get("description", ""))] == []


@pytest.mark.parametrize(("suite", "case"), CASES)
def test_an_input_gives_the_right_rows_or_a_bad_record_with_its_reason(suite: Suite, case: Case) -> None:
    [result] = run(suite, [case])
    assert result.problems == ()
