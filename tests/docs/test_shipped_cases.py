"""The cases of `pipelines/transactions.yaml` notice an edit that changes what comes out."""

from __future__ import annotations

import pytest

from kit.paths import ROOT
from kit.tables import table
from plait.testing.cases.read import read_suite
from plait.testing.cases.suite import load, run
from plait_sandbox.quirks import QUIRKS

SPEC = ROOT / "pipelines" / "transactions.yaml"
TEXT = SPEC.read_text(encoding="utf-8")


@pytest.mark.parametrize(("old", "new"), table("breaking_edits.yaml"))
def test_an_edit_that_changes_what_comes_out_breaks_a_case(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    cases = SPEC.with_suffix(".test.yaml")
    suite = read_suite(str(SPEC), TEXT.replace(old, new), str(cases), cases.read_bytes())
    assert {problem.file for problem in suite.problems} <= {str(cases)}
    assert suite.problems or any(run(suite, [case])[0].problems for case in suite.cases)


def test_every_oddity_of_the_sample_data_has_its_case() -> None:
    names = {case.name for case in load(str(SPEC)).cases}
    assert {*QUIRKS, "not_json"} <= names
