"""The pages of problems keep their word: each example has its problem, its cure has none, and PROBLEMS.md shows them.

PLAIT_UPDATE=1 writes PROBLEMS.md of `framework/plait/problems/pages.md`.
"""

from __future__ import annotations

import json
import os
from copy import deepcopy
from itertools import groupby
from typing import Any

import pytest

from kit.paths import DATA, ROOT
from kit.problems import CHAPTERS_OF_RUNS
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.problems.pages import Page, pages

FILE = ROOT / "pipelines" / "PROBLEMS.md"
INTRODUCTION = """# Problems

What `plait validate` says of a spec, by code, and at the end the commonest of what runs report; `plait explain CODE` prints a
page of these. Each snippet has the mistake and its cure; lines without a mark belong to both, and stand in a spec such as
those of [`README.md`](README.md). A *warning* leaves exit code 0, unless `--fail-level warning` is given.
"""
SPEC: dict[str, Any] = locate((DATA / "around_snippets.yaml").read_bytes(), "spec.yaml")[0].value  # type: ignore[union-attr]
YAML = [page for page in pages().values() if page.language == "yaml"]
OF_RUNS = [page for page in YAML if page.chapter in CHAPTERS_OF_RUNS]
SNIPPETS = [page for page in YAML if page.chapter not in CHAPTERS_OF_RUNS]


def merged(fragment: dict[str, Any]) -> str:
    """The spec with what a snippet says: a source with a connector replaces its namesake, another adds to it.

    Nothing after a key stays nothing.
    """
    spec = deepcopy(SPEC)
    for key, value in fragment.items():
        if key != "sources":
            spec[key] = value
            continue
        for name, block in value.items():
            old = {} if "connector" in block else spec["sources"].get(name, {})
            spec["sources"][name] = {**old, **block}
    return json.dumps(spec).replace(": null", ": ")


def codes(text: str) -> set[str]:
    """The codes of a snippet: of its YAML, else of the spec with it."""
    source_map, problems = locate(text, "snippet.yaml")
    if problems or source_map is None:
        return {problem.code for problem in problems}
    return {problem.code for problem in validate(merged(source_map.value), "spec.yaml").problems}


def as_markdown(page: Page) -> str:
    return f"\n### `{page.code}`\n{page.meaning}\n```{page.language}\n{page.example}```\n"


def test_the_spec_around_the_snippets_is_right() -> None:
    assert validate(json.dumps(SPEC), "spec.yaml").problems == ()


@pytest.mark.parametrize("page", SNIPPETS, ids=lambda page: page.code)
def test_the_wrong_snippet_has_its_problem_and_the_right_one_none(page: Page) -> None:
    assert codes(page.variant("wrong")) == {page.code}
    assert codes(page.variant("right")) == set()


@pytest.mark.parametrize("page", OF_RUNS, ids=lambda page: page.code)
def test_what_a_run_may_end_with_is_shown_of_specs_that_are_right(page: Page) -> None:
    assert codes(page.variant("wrong")) | codes(page.variant("right")) == set()


def test_every_problem_shows_what_is_wrong_and_what_is_right() -> None:
    assert [page.code for page in pages().values() if page.variant("wrong") == page.variant("right")] == []
    assert len(SNIPPETS) > 70


def test_the_page_of_problems_shows_the_page_of_each_code() -> None:
    text = INTRODUCTION
    for chapter, of_chapter in groupby(pages().values(), key=lambda page: page.chapter):
        text += f"\n## {chapter}\n{''.join(map(as_markdown, of_chapter))}"
    if os.environ.get("PLAIT_UPDATE"):
        FILE.write_text(text, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == text
