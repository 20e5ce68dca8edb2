"""Each problem of a file of cases has its place, and one thing to do."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kit import fakes
from kit.specs import edited, valid
from kit.tables import table
from plait.plugin import Record
from plait.testing.cases.inputs import InputReader
from plait.testing.cases.read import DEFAULT_NOW, exact
from unit.testing.cases.conftest import SPEC, Cases, one_case

PROBLEMS = table(Path(__file__).parent / "problems.yaml")


@pytest.mark.parametrize("row", PROBLEMS, ids=lambda row: row["problem"])
def test_each_problem_is_reported_at_its_place(cases: Cases, row: dict[str, Any]) -> None:
    """A case with an error is left out; warnings leave it as it is."""
    case = {key: row[key] for key in ("given", "expect", "more") if key in row}
    suite = cases(row.get("text", one_case(**case)), edited(SPEC, row.get("spec", {})))
    reported = [
        (f"{problem.span.line}:{problem.span.column} {problem.code}: {problem.message}", problem.help)
        for problem in suite.problems
        if problem.span
    ]
    assert (row["problem"], row.get("help")) in reported
    levels = {problem.level for problem in suite.problems}
    assert levels == {row.get("level", "error")}
    assert (levels == {"warning"}) is bool(suite.cases)


def test_all_problems_are_reported_in_the_order_of_the_file(cases: Cases) -> None:
    others = "  b: {given: {orders: {jsn: 1}}, expect: []}\n  c: {expect: []}\n"
    suite = cases(one_case(expect="[{totl: 1}]") + others)
    codes = ["unknown-column", "unknown-key", "missing-key"]
    assert [problem.code for problem in suite.problems] == codes


def test_a_wrong_case_does_not_hide_the_others(cases: Cases) -> None:
    suite = cases(one_case() + "  b: {given: {orders: {jsn: 1}}, expect: []}\n")
    assert [case.name for case in suite.cases] == ["a case"]


def test_a_field_that_the_spec_does_not_use_is_no_problem(cases: Cases) -> None:
    assert cases(one_case("orders: {json: {id: a, channel: web, device: {os: ios}}}")).problems == ()


def test_the_field_time_is_the_time_of_a_record() -> None:
    source = replace(valid(SPEC).source("fraud"), connector=fakes.source().connector)
    reader = InputReader(source, DEFAULT_NOW, [])
    rows = [{"$time": "2026-07-01T12:00:00+02:00", "id": "a"}, {"$time": "noon"}]
    inputs = reader.lookup(rows, ())
    assert inputs.records == (Record(fields={"id": "a"}, time=datetime(2026, 7, 1, 10, tzinfo=UTC)),)
    assert [p.message for p in reader.findings] == ["expected timestamp, got the text `noon`"]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_a_fraction_keeps_every_digit_that_is_written(number: Decimal) -> None:
    assert str(exact(f"{number:f}")) == f"{number:f}"


def test_a_number_that_json_writes_otherwise_stays_as_yaml_reads_it() -> None:
    assert [exact(".5"), exact("+1.0"), exact("7"), exact("x")] == [0.5, 1.0, 7, "x"]


def test_the_problems_of_the_spec_are_reported_with_its_file(cases: Cases) -> None:
    suite = cases(one_case(), SPEC.replace("table: shop.stores", "tabel: shop.stores"))
    assert [(p.file, p.code) for p in suite.problems] == [(suite.spec, "unknown-key")]
    assert suite.cases == ()
