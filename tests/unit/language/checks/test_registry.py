"""Each check has a page, and the page of problems shows it."""

from __future__ import annotations

import re

import pytest

from kit.paths import ROOT
from plait.language.checks import CHECKS
from plait.language.checks.registry import Check

PAGE = (ROOT / "pipelines" / "PROBLEMS.md").read_text(encoding="utf-8")


def words(text: str) -> list[str]:
    """The words of a text, however its lines are broken."""
    return text.split()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_page_of_problems_says_of_a_check_what_its_docstring_says(check: Check) -> None:
    section = re.search(rf"^### `{check.code}`\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert section
    assert words(section[1]) == words(check.page)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_page_of_a_check_shows_what_is_wrong_and_what_is_right(check: Check) -> None:
    assert "# wrong" in check.page
    assert "# right" in check.page
    assert (check.level == "warning") == check.page.startswith("A *warning*")


def test_no_code_has_two_checks() -> None:
    codes = [check.code for check in CHECKS]
    assert len(codes) == len({*codes})
