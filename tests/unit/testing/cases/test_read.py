"""Each problem of a file of cases has its place, and one thing to do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kit import fakes
from kit.specs import edited, valid
from kit.tables import table
from plait.plugin import Record
from plait.testing.cases.inputs import read_inputs
from plait.testing.cases.problem_collector import ProblemCollector
from plait.testing.cases.read import DEFAULT_NOW
from unit.testing.cases.conftest import ORDER, SPEC, Cases, one_case

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
    assert (levels == {"warning"}) is bool(suite.file.cases)


def test_all_problems_are_reported_in_the_order_of_the_file(cases: Cases) -> None:
    suite = cases(
        one_case("order: {json: {}}", "[{totl: 1}]") + "  b: {given: {orders: {jsn: 1}}, expect: []}\n"
    )
    codes = ["missing-key", "unknown-source", "unknown-column", "unknown-key"]
    assert [problem.code for problem in suite.problems] == codes


def test_a_wrong_case_does_not_hide_the_others(cases: Cases) -> None:
    suite = cases(one_case() + "  b: {given: {orders: {jsn: 1}}, expect: []}\n")
    assert [case.name for case in suite.file.cases] == ["a case"]


def test_a_field_that_the_spec_does_not_use_is_no_problem(cases: Cases) -> None:
    assert cases(one_case("orders: {json: {id: a, channel: web, device: {os: ios}}}")).problems == ()


def test_the_field_time_is_the_time_of_a_record(cases: Cases) -> None:
    suite = cases(
        one_case(f"{ORDER}, fraud: [{{$time: '2026-07-01T12:00:00+02:00', id: a}}, {{$time: noon}}]")
    )
    spec, yaml_text = valid(SPEC), suite.file.yaml_text
    assert yaml_text is not None
    fixed = fakes.source().connector
    lookups = tuple(replace(source, connector=fixed) for source in spec.lookups)
    collector = ProblemCollector(yaml_text.source_map)
    block = yaml_text.source_map.value["cases"]["a case"]["given"]["fraud"]
    path = ("cases", "a case", "given", "fraud")
    inputs = read_inputs(
        {"fraud": (block, path)}, replace(spec, lookups=lookups), DEFAULT_NOW, collector, yaml_text
    )
    assert inputs["fraud"].records == (Record(fields={"id": "a"}, time=datetime(2026, 7, 1, 10, tzinfo=UTC)),)
    assert [p.message for p in collector.problems] == ["`$time`: expected timestamp, got the text `noon`"]


def test_the_problems_of_the_spec_are_reported_with_its_file(cases: Cases) -> None:
    suite = cases(one_case(), SPEC.replace("table: shop.stores", "tabel: shop.stores"))
    assert [(p.file, p.code) for p in suite.problems] == [(suite.spec, "unknown-key")]
    assert suite.file.cases == ()
