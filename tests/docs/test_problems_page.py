"""The page of problems keeps its word: each snippet has its problem, and its cure has none."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest

from kit.paths import DATA, ROOT
from plait.language.validate import validate
from plait.language.yaml_reader import locate

PAGE = ROOT / "pipelines" / "PROBLEMS.md"
PART = re.compile(r"^### `([^`]+)`\n(.+?)^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = re.compile(r"\s+# (wrong|right).*$")
SPEC: dict[str, Any] = locate((DATA / "around_snippets.yaml").read_bytes(), "spec.yaml")[0].value  # type: ignore[union-attr]
PARTS = {code: (kind, text) for code, _, kind, text in PART.findall(PAGE.read_text(encoding="utf-8"))}
SNIPPETS = [(code, text) for code, (kind, text) in PARTS.items() if kind == "yaml"]


def variant(text: str, mark: str) -> str:
    """The lines of a snippet that are marked so, and those without a mark."""
    found = ((MARK.search(line), line) for line in text.splitlines())
    return "\n".join(MARK.sub("", line) for mark_, line in found if mark_ is None or mark_[1] == mark)


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


def test_the_spec_around_the_snippets_is_right() -> None:
    assert validate(json.dumps(SPEC), "spec.yaml").problems == ()


@pytest.mark.parametrize(("code", "text"), SNIPPETS, ids=[code for code, _ in SNIPPETS])
def test_the_wrong_snippet_has_its_problem_and_the_right_one_none(code: str, text: str) -> None:
    assert codes(variant(text, "wrong")) == {code}
    assert codes(variant(text, "right")) == set()


def test_every_problem_has_a_wrong_and_a_right_snippet() -> None:
    assert [code for code, (_, text) in PARTS.items() if "# wrong" not in text] == []
    assert len(SNIPPETS) > 70
