"""Each problem of a file of cases has its place, and one thing to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plait.language.validate import validate
from plait.plugin import Record
from plait.testing.cases.inputs import read_inputs
from plait.testing.cases.problem_collector import ProblemCollector
from plait.testing.cases.read import DEFAULT_NOW
from unit.testing.cases.conftest import SPEC, Cases, one_case

ORDER = "orders: {json: {id: a}}"
WRONG = [
    ("", "1:1", "empty-file", "the file is empty", "a file of cases begins with `cases:`"),
    ("case: {}\n", "1:1", "unknown-key", "unknown key `case`", "did you mean `cases`?"),
    ("cases: {a: {expect: []}}\n", "1:9", "missing-key", "no object is given",
     "give an object of `orders`, the source that drives"),
    ("cases: {a: {given: {orders: {gone: true}}}}\n", "1:9", "missing-key", "`expect` is missing",
     "the rows that must come out, or `{rows: …, quarantine: …}`"),
    (one_case(ORDER).replace("expect", "expects"), "4:5", "unknown-key", "unknown key `expects`", "did you mean `expect`?"),
    (one_case("order: {json: {}}"), "3:13", "unknown-source", "the spec has no source `order`", "did you mean `orders`?"),
    (one_case("orders: {json: {}, text: x}"), "3:21", "wrong-value", "given in 2 ways",
     "give one of `json`, `text`, `base64`, `fields`, `gone`, `fails`"),
    (one_case("orders: {object: a.json}"), "3:21", "missing-key", "nothing says what it holds",
     "give one of `json`, `text`, `base64`, `fields`, `gone`, `fails`"),
    (one_case("orders: {jsn: {}}"), "3:22", "unknown-key", "unknown key `jsn`", "did you mean `json`?"),
    (one_case("orders: [{object: a, gone: true}, {object: a, gone: true}]"), "3:13", "duplicate-object",
     "the object `raw/orders/a` is given twice", None),
    (one_case("orders: {base64: '%'}"), "3:30", "wrong-value", "the text is not base64",
     "the bytes of the file, as base64"),
    (one_case("orders: {json: {weight: .inf}}"), "3:37", "number-too-large", "`.inf` is no finite number",
     "put it in quotes if it is text"),
    (one_case("orders: {json: {}, modified: yesterday}"), "3:42", "wrong-value",
     "expected timestamp, got the text `yesterday`", "when it was written; left out, `now`"),
    (one_case("orders: {fails: often}"), "3:29", "wrong-word", "`often` is no word for `fails`",
     "one of `throttled`, `denied`"),
    (one_case(f"{ORDER}, stores: [7]"), "3:47", "wrong-kind", "expected a mapping of fields, got the number `7`", None),
    (one_case(f"{ORDER}, stores: {{row: []}}"), "3:47", "unknown-key", "unknown key `row`", "did you mean `rows`?"),
    (one_case(f"{ORDER}, stores: {{rows: [], files: {{}}}}"), "3:38", "wrong-value", "`stores` is given in 2 ways",
     "give one of `rows`, `files`, `fails`"),
    (one_case(f"{ORDER}, stores: {{files: {{a.csv: x}}}}"), "3:55", "wrong-value", "`stores` reads no files",
     "give its `rows`"),
    (one_case(f"{ORDER}, items: {{files: {{a.cvs: x}}}}"), "3:54", "wrong-value", "no row asks for `raw/items/a.cvs`",
     "the path is `raw/items/{id}.csv`"),
    (one_case(f"{ORDER}, fraud: [{{time: x, message: y}}]"), "3:46", "wrong-value", "`time` is no ISO 8601 timestamp", None),
    (one_case(f"{ORDER}, fraud: [{{tiem: x, message: y}}]"), "3:46", "wrong-value",
     "a line of a log is `{time: …, message: …}`, two texts", None),
    (one_case(ORDER, "[{totl: 1}]"), "4:15", "unknown-column", "no column is called `totl`", "did you mean `total`?"),
    (one_case(ORDER, "[{items: [{sk: x}]}]"), "4:24", "unknown-column", "no field is called `sk`", "did you mean `sku`?"),
    (one_case(ORDER, "[{total: 1.005}]"), "4:22", "wrong-value", "the number `1.005` does not fit decimal(12,2)",
     "declare a decimal with enough digits"),
    (one_case(ORDER, "[{at: noon}]"), "4:19", "wrong-value", "expected timestamp, got the text `noon`", None),
    (one_case(ORDER, "[3]"), "4:14", "wrong-kind", "expected a mapping of columns, got the number `3`", None),
    (one_case(ORDER, "{quarantin: []}"), "4:14", "unknown-key", "unknown key `quarantin`", "did you mean `quarantine`?"),
    (one_case(ORDER, "{retry: [{cod: x}]}"), "4:23", "unknown-key", "unknown key `cod`", "did you mean `code`?"),
    (one_case(ORDER, "{skipped: -1}"), "4:23", "wrong-value", "`-1` does not fit: expected a whole number of at least 0",
     "how many, as in `skipped: 0`"),
    (one_case(ORDER, more="    parameters: {lak: x}\n"), "5:18", "unknown-parameter", "the spec has no parameter `lak`",
     "did you mean `lake`?"),
    (one_case(ORDER, more="    parameters: {lake: 1}\n"), "5:24", "wrong-kind", "expected text, got the number `1`",
     "put it in quotes"),
    (one_case(ORDER, more="    parameters: {lake: 'a*'}\n"), "5:5", "invalid-spec",
     "with these parameters the spec is not valid: the value of the parameter `lake` has `*` in it", None),
    (one_case(ORDER, more="    now: soon\n"), "5:10", "wrong-value", "expected timestamp, got the text `soon`",
     "the time at which the cases run"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "code", "message", "help"), WRONG)
def test_each_problem_is_reported_at_its_place(
    cases: Cases, text: str, place: str, code: str, message: str, help: str | None
) -> None:
    reported = [
        (f"{p.span.line}:{p.span.column}", p.code, p.message, p.help) for p in cases(text).problems if p.span
    ]
    assert (place, code, message, help) in reported


def test_all_problems_are_reported_in_the_order_of_the_file(cases: Cases) -> None:
    suite = cases(
        one_case("order: {json: {}}", "[{totl: 1}]") + "  b: {given: {orders: {jsn: 1}}, expect: []}\n"
    )
    assert [p.code for p in suite.problems] == [
        "missing-key",
        "unknown-source",
        "unknown-column",
        "unknown-key",
    ]


def test_a_wrong_case_does_not_hide_the_others(cases: Cases) -> None:
    suite = cases(one_case(ORDER) + "  b: {given: {orders: {jsn: 1}}, expect: []}\n")
    assert [case.name for case in suite.file.cases] == ["a case"]


@pytest.mark.parametrize(
    ("given", "name", "meant"),
    [
        (f"{ORDER}, stores: [{{nr: 7, ctiy: Lugo}}]", "ctiy", "city"),
        (f"{ORDER}, items: [{{id: a, skku: tea}}]", "skku", "sku"),
        ("orders: {json: {id: a, totl: 1}}", "totl", "total"),
    ],
)
def test_a_misspelt_field_of_the_spec_is_a_warning(cases: Cases, given: str, name: str, meant: str) -> None:
    suite = cases(one_case(given))
    assert [(p.level, p.code, p.help) for p in suite.problems] == [
        ("warning", "unknown-field", f"did you mean `{meant}`?")
    ]
    assert f"`{name}`" in suite.problems[0].message
    assert len(suite.file.cases) == 1


def test_a_field_that_the_spec_does_not_use_is_no_problem(cases: Cases) -> None:
    assert cases(one_case("orders: {json: {id: a, channel: web, device: {os: ios}}}")).problems == ()


def test_the_field_time_is_the_time_of_a_record_unless_its_connector_reads_rows_itself(cases: Cases) -> None:
    suite = cases(
        one_case(f"{ORDER}, fraud: [{{$time: '2026-07-01T12:00:00+02:00', id: a}}, {{$time: noon}}]")
    )
    spec = validate(SPEC, "orders.yaml").spec
    yaml_text = suite.file.yaml_text
    assert spec is not None
    assert yaml_text is not None
    lookups = tuple(
        replace(source, connector=replace(source.connector, given=None)) for source in spec.lookups
    )
    collector = ProblemCollector(yaml_text.source_map)
    block = yaml_text.source_map.value["cases"]["a case"]["given"]["fraud"]
    path = ("cases", "a case", "given", "fraud")
    inputs = read_inputs(
        {"fraud": (block, path)}, replace(spec, lookups=lookups), DEFAULT_NOW, collector, yaml_text
    )
    assert inputs["fraud"].records == (Record(fields={"id": "a"}, time=datetime(2026, 7, 1, 10, tzinfo=UTC)),)
    assert [p.message for p in collector.problems] == ["`$time`: expected timestamp, got the text `noon`"]


def test_an_object_needs_a_name_if_its_path_has_columns(cases: Cases) -> None:
    suite = cases(one_case("orders: {json: {id: a}}"), SPEC.replace("orders/*.json", "{day}/*.json"))
    assert [(p.code, p.message, p.help) for p in suite.problems] == [
        ("missing-key", "`object` is missing", "the path has `{day}` in it")
    ]


def test_the_problems_of_the_spec_are_reported_with_its_file(cases: Cases) -> None:
    suite = cases(one_case(ORDER), SPEC.replace("table: shop.stores", "tabel: shop.stores"))
    assert [(p.file, p.code) for p in suite.problems] == [(suite.spec, "unknown-key")]
    assert suite.file.cases == ()
