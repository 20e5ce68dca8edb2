"""A change anywhere in a file of cases gives a problem with a place, or another case; never a traceback."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.mutants.mutation import at, places
from kit.paths import ROOT
from plait.language.yaml_writer import block_yaml
from plait.testing.cases.case import Suite
from plait.testing.cases.read import read_suite
from plait.testing.cases.suite import load, run
from plait.testing.cases.update import rewrite

SUITE = load(str(ROOT / "pipelines" / "transactions.yaml"))
DOCUMENT: dict[str, Any] = SUITE.source_map.value if SUITE.source_map else {}
VALUES: list[Any] = [
    None, True, 5, -1, 1.5, "x", "", [], {}, [None], {"a": 1}, ["x"], [[]], "2026-07-01", 10**30,
]  # fmt: skip


def read(text: str) -> Suite:
    """The text of a file of cases beside the spec, as it is read."""
    return read_suite(SUITE.spec, SUITE.texts[SUITE.spec], "x.test.yaml", text.encode())


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """Draw the text of one case, or of what all share, with one node deleted, replaced or renamed."""
    name = draw(st.sampled_from([*DOCUMENT["cases"]]))
    root = copy.deepcopy({**DOCUMENT, "cases": {name: DOCUMENT["cases"][name]}})
    path = draw(st.sampled_from([*places(root)]))
    parent, last = at(root, path[:-1]), path[-1]
    kind = draw(st.sampled_from(["delete", "replace", "rename"]))
    if kind == "replace" or (kind == "rename" and isinstance(parent, list)):
        parent[last] = draw(st.sampled_from(VALUES))
    else:
        value = parent.pop(last)
        if kind == "rename":
            parent[draw(st.sampled_from([f"{last}x", str(last)[:-1], "zz"]))] = value
    return block_yaml(root, 0) + "\n"


@settings(max_examples=200 if settings().max_examples <= 100 else 5_000)
@given(mutants())
def test_a_mutant_has_problems_with_places_or_runs_and_can_be_updated(text: str) -> None:
    suite = read(text)
    assert [problem for problem in suite.problems if problem.span is None] == []
    results = run(suite, suite.cases)
    assert [p for result in results for p in result.problems if p.span is None] == []
    failing = [(result.case, result.outcome) for result in results if result.problems and result.outcome]
    if failing and suite.source_map:
        updated = read(rewrite(suite.source_map, failing))
        assert [result.problems for result in run(updated, updated.cases)] == [()]


@pytest.mark.parametrize(
    "text", ["\x00", "[", "a: *b", "cases: [", "cases: {a: {expect: []}, a: {}}", "1", "---\n---\n"]
)
def test_a_file_that_is_no_yaml_has_problems_with_places(text: str) -> None:
    suite = read(text)
    assert suite.cases == ()
    assert suite.problems
    assert all(problem.span for problem in suite.problems)
