"""The cases of `pipelines/transactions.yaml` notice an edit that changes what comes out."""

from __future__ import annotations

import pytest

from kit.paths import ROOT
from kit.tables import table
from plait.testing.cases.read import SpecVariants, read_cases
from plait.testing.cases.suite import Suite, load, run
from plait_sandbox.quirks import QUIRKS

SPEC = ROOT / "pipelines" / "transactions.yaml"
TEXT = SPEC.read_text(encoding="utf-8")


@pytest.mark.parametrize(("old", "new"), table("breaking_edits.yaml"))
def test_an_edit_that_changes_what_comes_out_breaks_a_case(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    specs = SpecVariants(TEXT.replace(old, new), str(SPEC))
    assert specs.unchanged.errors == ()
    cases = SPEC.with_suffix(".test.yaml")
    file = read_cases(cases.read_bytes(), str(cases), specs)
    suite = Suite(spec=str(SPEC), file=file, problems=file.problems, texts={})
    assert file.problems or any(run(suite, [case])[0].problems for case in file.cases)


def test_every_oddity_of_the_sample_data_has_its_case() -> None:
    names = {case.name for case in load(str(SPEC)).file.cases}
    assert {*QUIRKS, "not_json"} <= names
