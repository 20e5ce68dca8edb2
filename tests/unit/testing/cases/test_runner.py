"""A case runs the real engine over its inputs, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from plait.testing.cases.suite import CaseResult, load, run
from unit.testing.cases.conftest import SPEC, Ran, one_case

HERE = Path(__file__).parent
NOW = '    now: "2026-07-01T12:00:00Z"\n'
OLD = 'modified: "2026-07-01T10:00:00Z"'


@pytest.fixture(scope="module")
def results() -> dict[str, CaseResult]:
    """Run the cases of this folder, which describe what the engine does."""
    suite = load(str(HERE / "orders.yaml"))
    assert suite.problems == ()
    return {result.case.name: result for result in run(suite, suite.file.cases)}


def names() -> list[str]:
    return [case.name for case in load(str(HERE / "orders.yaml")).file.cases]


@pytest.mark.parametrize("name", names())
def test_a_case_that_describes_what_the_engine_does_holds(results: dict[str, CaseResult], name: str) -> None:
    assert results[name].problems == ()


def test_inputs_of_a_case_win_over_those_given_for_all_cases(ran: Ran) -> None:
    shared = "now: 2026-07-01\ngiven: {orders: {modified: 2026-06-01, json: {id: a, store: 7}}, stores: [{nr: 7, city: Lugo}]}\n"
    text = (
        shared + "cases:\n  a: {expect: [{city: Lugo}]}\n  b: {given: {stores: []}, expect: [{city: null}]}\n"
    )
    assert [result.problems for result in ran(text)] == [(), ()]


def test_columns_from_object_facts_have_the_given_facts(ran: Ran) -> None:
    spec = SPEC.replace(
        "      at: timestamp\n",
        "      at: {type: timestamp, from: $modified}\n      uri: {type: string, from: $object}\n"
        "      tag: {type: string, from: $etag}\n",
    )
    given = "orders: {object: x.json, modified: 2026-07-01, etag: e, json: {id: a}}"
    expect = '[{at: "2026-07-01T00:00:00Z", uri: s3://b/orders/x.json, tag: e}]'
    (result,) = ran(one_case(given, expect, NOW + "    parameters: {raw: 's3://b'}\n"), spec)
    assert result.problems == ()


def test_an_object_may_be_given_by_its_full_address(ran: Ran) -> None:
    given = f"orders: [{{{OLD}, object: s3://b/orders/x.json, json: {{id: a}}}}, {{object: s3://c/x.json, text: x}}]"
    (result,) = ran(
        one_case(given, "{rows: [{id: a}], skipped: 1}", NOW + "    parameters: {raw: 's3://b'}\n")
    )
    assert result.problems == ()


def test_without_a_quarantine_a_bad_record_fails_its_object(ran: Ran) -> None:
    spec = SPEC.replace("quarantine: ${lake}/quarantine/\n", "")
    (result,) = ran(one_case("orders: {json: {}}", "{failed: [required-null]}"), spec)
    assert result.problems == ()


DROPPING = """\
plait: 1
name: dropping
sources:
  orders: {connector: memory, rows: [{id: a}, {id: b}, {id: c}], columns: {id: string}}
  lines:
    connector: memory
    rows: [{id: a, sku: x}, {id: a, sku: y}]
    columns: {sku: string}
    join: {on: id, as: rows, missing: drop}
sink: {connector: parquet, path: out/}
"""


def test_a_driver_with_its_rows_in_the_spec_needs_no_inputs(ran: Ran) -> None:
    (result,) = ran("cases: {a: {expect: {rows: [{id: a, sku: x}, {sku: y}], dropped: 2}}}\n", DROPPING)
    assert result.problems == ()


def test_records_may_be_given_to_a_driver_that_reads_no_files(ran: Ran) -> None:
    (result,) = ran(
        "cases: {a: {given: {orders: [{fields: {id: a}}, {fields: {id: z}}]}, expect: {rows: [{id: a}, {id: a}], dropped: 1}}}\n",
        DROPPING,
    )
    assert result.problems == ()


def test_undeclared_columns_are_compared_as_the_run_finds_them(ran: Ran) -> None:
    spec = DROPPING.replace(", columns: {id: string}", "").replace("{id: b}", "{id: b, n: 1.5, m: {x: [1]}}")
    spec = spec.replace(", missing: drop", "")
    expect = "[{id: a, n: null}, {id: a}, {id: b, n: 1.5, m: {x: [1]}, sku: null}, {id: c}]"
    (result,) = ran(f"cases: {{a: {{expect: {expect}}}}}\n", spec)
    assert result.problems == ()


def test_values_of_several_types_in_an_undeclared_column_are_in_separate_rows(ran: Ran) -> None:
    spec = DROPPING.replace(", columns: {id: string}", "").replace("{id: b}", "{id: 1}")
    (result,) = ran("cases: {a: {expect: {rows: [{id: a, sku: x}, {sku: y}], dropped: 2}}}\n", spec)
    assert result.problems == ()
