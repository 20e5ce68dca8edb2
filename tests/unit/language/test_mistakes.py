"""Edits of good specs: each mistake is one problem that underlines it and says one thing to do, with no cascade."""

from __future__ import annotations

from typing import Any

import pytest

from kit.paths import DATA
from kit.specs import edited
from kit.tables import table
from plait.language.validate import validate

TABLES = {file.stem: table(file) for file in sorted((DATA / "mistakes").glob("*.yaml"))}
CASES = [
    pytest.param(
        edited(content["spec"], edit["edit"]),
        edit.get("parameters", {}),
        edit["problems"],
        id=f"{name}: {' '.join([*edit['edit'].values()])[:60]!r}",
        marks=[pytest.mark.fault(fault) for fault in content.get("faults", ())],
    )
    for name, content in TABLES.items()
    for edit in content["edits"]
]


@pytest.mark.parametrize("spec", [content["spec"] for content in TABLES.values()], ids=TABLES)
def test_the_specs_before_the_edits_are_right(spec: str) -> None:
    assert validate(spec, "spec.yaml").problems == ()


@pytest.mark.parametrize(("spec", "parameters", "expected"), CASES)
def test_an_edit_has_the_problems_of_the_table(
    spec: str, parameters: dict[str, str], expected: list[list[Any]]
) -> None:
    """The code of each, its line, the text there that is underlined, and its help."""
    lines = spec.splitlines()
    problems = []
    for problem in validate(spec, "spec.yaml", parameters).problems:
        assert problem.span is not None
        underlined = lines[problem.span.line - 1][problem.span.column - 1 : problem.span.end_column - 1]
        problems.append([problem.code, problem.span.line, underlined, problem.help])
    assert problems == expected
