"""Every page leads where it says: its links, and the files that recipes name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit.paths import ROOT

PAGES = sorted(
    path
    for pattern in ("*.md", "framework/**/*.md", "plugins/**/*.md", "pipelines/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
NAMED_FILE = re.compile(r"`((?:framework|plugins|tests)/[\w./-]*[\w/])`")
TARGETS = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_and_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    named = [target for target in NAMED_FILE.findall(text) if not (ROOT / target).exists()]
    assert (linked, named) == ([], [])


@pytest.mark.parametrize("page", ["AGENTS.md", "CONTRIBUTING.md", "README.md"])
def test_every_task_that_a_page_names_is_in_the_makefile(page: str) -> None:
    named = set(re.findall(r"`make (\w+)", (ROOT / page).read_text(encoding="utf-8")))
    assert {task for task in named if not re.search(rf"^{task}:", TARGETS, re.MULTILINE)} == set()


def test_the_rules_in_short_are_short() -> None:
    assert len((ROOT / "AGENTS.md").read_text(encoding="utf-8").splitlines()) <= 60


def test_every_decision_has_its_context_decision_and_consequence() -> None:
    decisions = sorted((ROOT / "framework" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"\*\*(\w+)\.\*\*", text) == ["Context", "Decision", "Consequence"], path.name
        assert len(text.splitlines()) <= 14, path.name
