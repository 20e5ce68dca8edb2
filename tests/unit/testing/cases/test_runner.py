"""A case runs the real phases over what is given, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from plait.testing.cases.suite import Result, load, run
from unit.testing.cases.conftest import SPEC, Ran, one

HERE = Path(__file__).parent
NOW = '    now: "2026-07-01T12:00:00Z"\n'
OLD = 'modified: "2026-07-01T10:00:00Z"'


@pytest.fixture(scope="module")
def held() -> dict[str, Result]:
    """Run the cases of this folder, which say what the engine does."""
    suite = load(str(HERE / "orders.yaml"))
    assert suite.problems == ()
    return {result.case.name: result for result in run(suite, suite.file.cases)}


def names() -> list[str]:
    return [case.name for case in load(str(HERE / "orders.yaml")).file.cases]


@pytest.mark.parametrize("name", names())
def test_a_case_holds_where_it_says_what_the_engine_does(held: dict[str, Result], name: str) -> None:
    assert held[name].problems == ()


def test_what_is_given_for_all_cases_gives_way_to_a_case_of_its_own(ran: Ran) -> None:
    shared = "now: 2026-07-01\ngiven: {orders: {modified: 2026-06-01, json: {id: a, store: 7}}, stores: [{nr: 7, city: Lugo}]}\n"
    text = (
        shared + "cases:\n  a: {expect: [{city: Lugo}]}\n  b: {given: {stores: []}, expect: [{city: null}]}\n"
    )
    assert [result.problems for result in ran(text)] == [(), ()]


def test_facts_of_the_object_are_those_that_are_given(ran: Ran) -> None:
    spec = SPEC.replace(
        "      at: timestamp\n",
        "      at: {type: timestamp, from: $modified}\n      uri: {type: string, from: $object}\n"
        "      tag: {type: string, from: $etag}\n",
    )
    given = "orders: {object: x.json, modified: 2026-07-01, etag: e, json: {id: a}}"
    expect = '[{at: "2026-07-01T00:00:00Z", uri: s3://b/orders/x.json, tag: e}]'
    (result,) = ran(one(given, expect, NOW + "    parameters: {raw: 's3://b'}\n"), spec)
    assert result.problems == ()


def test_an_address_may_be_whole(ran: Ran) -> None:
    given = f"orders: [{{{OLD}, object: s3://b/orders/x.json, json: {{id: a}}}}, {{object: s3://c/x.json, text: x}}]"
    (result,) = ran(one(given, "{rows: [{id: a}], skipped: 1}", NOW + "    parameters: {raw: 's3://b'}\n"))
    assert result.problems == ()


def test_without_a_quarantine_a_bad_record_fails_its_object(ran: Ran) -> None:
    spec = SPEC.replace("quarantine: ${lake}/quarantine/\n", "")
    (result,) = ran(one("orders: {json: {}}", "{failed: [required-null]}"), spec)
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


def test_a_driver_whose_rows_stand_in_the_spec_needs_nothing_given(ran: Ran) -> None:
    (result,) = ran("cases: {a: {expect: {rows: [{id: a, sku: x}, {sku: y}], dropped: 2}}}\n", DROPPING)
    assert result.problems == ()


def test_records_may_be_given_to_a_driver_that_reads_no_files(ran: Ran) -> None:
    (result,) = ran(
        "cases: {a: {given: {orders: [{fields: {id: a}}, {fields: {id: z}}]}, expect: {rows: [{id: a}, {id: a}], dropped: 1}}}\n",
        DROPPING,
    )
    assert result.problems == ()


def test_columns_that_only_the_run_knows_are_compared_as_they_come(ran: Ran) -> None:
    spec = DROPPING.replace(", columns: {id: string}", "").replace("{id: b}", "{id: b, n: 1.5, m: {x: [1]}}")
    spec = spec.replace(", missing: drop", "")
    expect = "[{id: a, n: null}, {id: a}, {id: b, n: 1.5, m: {x: [1]}, sku: null}, {id: c}]"
    (result,) = ran(f"cases: {{a: {{expect: {expect}}}}}\n", spec)
    assert result.problems == ()


def test_values_of_several_types_in_an_undeclared_column_are_rows_apart(ran: Ran) -> None:
    spec = DROPPING.replace(", columns: {id: string}", "").replace("{id: b}", "{id: 1}")
    (result,) = ran("cases: {a: {expect: {rows: [{id: a, sku: x}, {sku: y}], dropped: 2}}}\n", spec)
    assert result.problems == ()
