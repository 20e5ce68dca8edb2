"""`--update` writes what came into the file, and leaves everything else as it is."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from kit.tables import table
from plait.plugin import GiveUp
from plait.testing.cases.case import Suite
from plait.testing.cases.suite import run, update
from unit.testing.cases.conftest import Cases

ORDER = '{modified: 2026-07-01, json: {id: a, store: 7, total: 12.50, at: "2026-07-01T10:00:00Z"}}'
REWRITTEN = table(Path(__file__).parent / "rewritten.yaml")
EXPECTATIONS = REWRITTEN["expectations"]


def file(expect: str, orders: str = ORDER) -> str:
    """A file of two cases, the first with these orders, which expects this."""
    text: str = REWRITTEN["file"]
    return text.replace("ORDERS", orders).replace("EXPECT", indent(expect, "    "))


def _update(suite: Suite) -> list[str]:
    return [result.case.name for result in update(suite, run(suite, suite.cases)) if result.updated]


@pytest.mark.parametrize("name", EXPECTATIONS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_file_expects_what_came_and_is_unchanged_elsewhere(cases: Cases, name: str, newline: str) -> None:
    row = EXPECTATIONS[name]
    orders = row.get("orders", ORDER)
    before, after = (file(row[key], orders).replace("\n", newline) for key in ("before", "after"))
    suite = cases(before)
    assert _update(suite) == ["first"]
    assert Path(suite.file).read_bytes().decode() == after
    assert _update(cases(after)) == []


def test_cases_that_stand_on_one_line_are_rewritten_each_in_its_place(cases: Cases) -> None:
    suite = cases(
        "cases: {a: {given: {orders: {gone: true}}, expect: []}, b: {given: {orders: {gone: true}}, expect: []}}\n"
    )
    assert _update(suite) == ["a", "b"]
    assert Path(suite.file).read_text(encoding="utf-8").count("expect: {gone: 1}}") == 2


def test_a_byte_order_mark_stays_at_the_beginning(cases: Cases) -> None:
    suite = cases("\ufeff" + file("expect: []\n"))
    assert _update(suite) == ["first"]
    assert Path(suite.file).read_bytes().startswith(b"\xef\xbb\xbf# Comments")


def test_a_file_that_would_not_be_read_as_what_came_is_left_unchanged(cases: Cases) -> None:
    text = file("expect: [{id: b}]\n")
    suite = cases(text)
    results = run(suite, suite.cases)
    Path(suite.spec).unlink()
    suite.texts[suite.spec] = suite.texts[suite.spec].replace(
        "      id: {type: string, required: true}\n", ""
    )
    with pytest.raises(GiveUp, match="cannot be rewritten"):
        update(suite, results)
    assert Path(suite.file).read_text(encoding="utf-8") == text
