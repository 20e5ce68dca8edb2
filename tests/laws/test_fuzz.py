"""Whatever a file holds, validation ends soon, with problems that each have a place; specs and cases alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.mutants import mutation
from kit.paths import ROOT
from kit.specs import PROJECT, documented_specs
from kit.tables import table
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.problems.problem import Problem
from plait.testing.cases.read import read_suite

EXAMPLES = 25 if os.environ.get("PLAIT_BUDGET") == "large" else 1
SECONDS = 1.0
SPECS = [text for _, text in sorted(documented_specs().items())]
SUITES = [
    (file.with_name(file.name.replace(".test.yaml", ".yaml")), file)
    for folder in (ROOT / "pipelines", PROJECT / "pipelines")
    for file in sorted(folder.glob("*.test.yaml"))
]
TOKENS = [*(token for line in table("tokens.yaml") for token in line), "9" * 400]


def problems(text: bytes) -> tuple[Problem, ...]:
    """The problems of a spec."""
    validated = validate(text, "spec.yaml")
    assert validated.spec is None or not validated.errors
    return validated.problems


def problems_of_cases(text: bytes, spec: Path = SUITES[0][0]) -> tuple[Problem, ...]:
    """The problems of a file of cases beside a spec."""
    return read_suite("spec.yaml", spec.read_text("utf-8"), "spec.test.yaml", text).problems


def check(text: bytes) -> None:
    """Read a text as a spec and as a file of cases; one that takes long does so each time, a collection of garbage once."""
    for read in (problems, problems_of_cases):
        assert any(_is_soon(read, text) for _ in range(3))


def _is_soon(read: Callable[[bytes], tuple[Problem, ...]], text: bytes) -> bool:
    """Whether a text is read soon, with problems that each have a place."""
    begin = time.thread_time()
    read_problems = read(text)
    seconds = time.thread_time() - begin
    assert [problem for problem in read_problems if problem.span is None] == []
    return seconds < SECONDS


def budget(examples: int) -> settings:
    """This many examples, 25 times as many with PLAIT_BUDGET=large."""
    return settings(max_examples=examples * EXAMPLES, suppress_health_check=[HealthCheck.too_slow])


@budget(500)
@given(st.binary(max_size=300))
def test_any_bytes_end_as_problems_with_places(text: bytes) -> None:
    check(text)


@budget(800)
@given(st.lists(st.sampled_from(TOKENS), max_size=60).map("".join))
def test_a_soup_of_what_specs_are_made_of_ends_as_problems_with_places(text: str) -> None:
    check(text.encode())


@budget(600)
@given(st.sampled_from(SPECS), st.randoms(use_true_random=False), st.sampled_from(SPECS))
def test_a_spec_with_pieces_cut_out_and_put_in_ends_as_problems_with_places(
    text: str, random: Random, other: str
) -> None:
    for _ in range(random.randint(1, 4)):
        start, length, at = random.randrange(len(text)), random.randint(0, 30), random.randrange(len(other))
        piece = random.choice([other[at : at + random.randint(0, 60)], random.choice(TOKENS)])
        text = text[:start] + piece + text[start + length :] or " "
    check(text.encode())


def with_nodes_changed(text: str, random: Random, changes: int) -> bytes:
    """A document some of whose nodes are deleted, renamed or replaced."""
    source_map, _ = locate(text, "spec.yaml")
    assert source_map is not None
    root = source_map.value
    for _ in range(changes):
        if places := [*mutation.places(root)]:
            root = random.choice([*mutation.mutants(root, random.choice(places))])[1]
    return mutation.written(root).encode()


@budget(500)
@given(st.sampled_from(SPECS), st.randoms(use_true_random=False))
def test_a_spec_with_several_nodes_changed_ends_as_problems_with_places(text: str, random: Random) -> None:
    check(with_nodes_changed(text, random, random.randint(2, 5)))


@pytest.mark.parametrize(("spec", "cases"), SUITES, ids=lambda file: file.name)
@budget(60)
@given(random=st.randoms(use_true_random=False))
def test_cases_with_several_nodes_changed_end_as_problems_with_places(
    spec: Path, cases: Path, random: Random
) -> None:
    mutant = with_nodes_changed(cases.read_text("utf-8"), random, random.randint(1, 4))
    assert [problem for problem in problems_of_cases(mutant, spec) if problem.span is None] == []
