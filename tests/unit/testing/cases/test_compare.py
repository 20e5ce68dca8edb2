"""Rows are matched as well as they can be, and differences are told down to the cell."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.testing.cases.compare import ABSENT, Cell, cells, match, show, show_pair
from unit.testing.cases.conftest import Ran, one

ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3), max_size=5)
FULL = st.lists(st.fixed_dictionaries(dict.fromkeys("abc", st.integers(0, 2))), max_size=5)


def _agree(expected: dict[str, Any], got: dict[str, Any]) -> bool:
    return all(got[name] == value for name, value in expected.items())


@given(ROWS, FULL)
def test_rows_agree_exactly_where_some_order_of_them_does(
    expected: list[dict[str, Any]], got: list[dict[str, Any]]
) -> None:
    matched = match(expected, got)
    told = not matched.missing and not matched.extra
    told = told and all(_agree(expected[left], got[right]) for left, right in matched.pairs.items())
    orders = permutations(got) if len(expected) == len(got) else ()
    assert told == any(all(map(_agree, expected, order)) for order in orders)


@given(ROWS, FULL)
def test_every_row_is_paired_or_left_over_once(
    expected: list[dict[str, Any]], got: list[dict[str, Any]]
) -> None:
    matched = match(expected, got)
    assert sorted([*matched.pairs, *matched.missing]) == list(range(len(expected)))
    assert sorted([*matched.pairs.values(), *matched.extra]) == list(range(len(got)))


def test_rows_that_differ_are_paired_where_they_differ_least() -> None:
    expected = [{"id": 1, "a": 1, "b": 1}, {"id": 2, "a": 1, "b": 1}]
    got = [{"id": 2, "a": 1, "b": 9}, {"id": 1, "a": 9, "b": 1}]
    assert match(expected, got).pairs == {0: 1, 1: 0}


def test_rows_with_nothing_in_common_are_a_pair_only_where_no_others_are_left() -> None:
    expected, got = [{"id": 1, "a": 1}, {"id": 2, "a": 2}], [{"id": 3, "a": 3}, {"id": 4, "a": 4}]
    matched = match(expected, got)
    assert (matched.pairs, matched.missing, matched.extra) == ({}, [0, 1], [0, 1])
    assert match(expected[:1], got[:1]).pairs == {0: 0}


@pytest.mark.parametrize(
    ("expected", "got", "told"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": {"x": 1}}, {"a": {"x": 2, "y": 1}}, [Cell(("a", "x"), 1, 2)]),
        ({"a": [{"x": 1}]}, {"a": [{"x": 2}]}, [Cell(("a", 0, "x"), 1, 2)]),
        ({"a": [1]}, {"a": [1, 2]}, [Cell(("a",), [1], [1, 2])]),
        ({"a": None}, {"a": {}}, [Cell(("a",), None, {})]),
        ({"a": 1}, {"a": True}, [Cell(("a",), 1, True)]),
        ({"a": None}, {}, [Cell(("a",), None, ABSENT)]),
    ],
)
def test_cells_that_differ_have_their_place(expected: Any, got: Any, told: list[Cell]) -> None:
    assert list(cells(expected, got)) == told


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ('a "b"', '"a "b""'),
        (None, "null"),
        (Decimal("12.50"), "12.50"),
        (datetime(2026, 7, 1, 10, tzinfo=UTC), "2026-07-01T10:00:00Z"),
        (b"\x00", "AA=="),
        ([{"a": "x"}], "[{a: x}]"),
    ],
)
def test_values_are_shown_as_a_case_would_write_them(value: Any, shown: str) -> None:
    assert show(value) == shown


def test_long_texts_are_shown_where_they_part() -> None:
    expected, got = show_pair("x" * 200 + "left" + "y" * 200, "x" * 200 + "right")
    assert expected == f"…{'x' * 20}left{'y' * 16}…"
    assert got == f'…{"x" * 20}right"'


LOCATED = [
    ("orders: {json: {id: a, total: 1.5}}", "[{total: 1.75}]", "4:22", "row 1, column `total`: expected 1.75, got 1.50"),
    ("orders: {json: {id: a}}", "[{id: a}, {id: b}]", "4:23", 'row 2 is missing: {id: "b"}'),
    ("orders: [{json: {id: a}}, {json: {id: b}}]", "[{id: a}]", "4:13", 'a row came that is not expected: {id: "b"}'),
    ("orders: {json: {id: a}}, items: [{id: a, sku: x}]", "[{items: []}]", "4:22",
     "row 1, column `items`: expected 0 elements, got 1"),
    ("orders: {json: {id: a, customer: {name: Bo}}}", "[{customer: {name: Al}}]", "4:32",
     'row 1, column `customer.name`: expected "Al", got "Bo"'),
    ("orders: {json: {}}", "[{id: a}]", "4:14", 'row 1 is missing: {id: "a"}'),
    ("orders: {json: {}}", "[]", "4:5",
     "a record is bad that should not be: `required-null` of `1.json`: column `id` is required and null"),
    ("orders: {json: {}}", "{quarantine: [bad-value]}", "4:27",
     "quarantine 1: expected `bad-value`, got `required-null` of `1.json`: column `id` is required and null"),
    ("orders: {json: {id: a}}", "{rows: [{}], quarantine: [bad-value]}", "4:39",
     "quarantine 1: expected `bad-value`, got none"),
    ("orders: {object: a.txt, text: x}", "[]", "4:5", "skipped: expected 0, got 1"),
    ("orders: {gone: true}", "{gone: 2}", "4:20", "gone: expected 2, got 1"),
    ("orders: {fails: denied}", "[]", "4:5",
     "an object failed that should be done: `give-up` of `1.json`: `raw/orders/1.json` is denied in this case"),
    ("orders: {fails: throttled}", "{retry: [other]}", "4:22",
     "retry 1: expected `other`, got `try-again` of `1.json`: `raw/orders/1.json` is throttled in this case"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expect", "place", "message"), LOCATED)
def test_each_difference_stands_at_its_place(
    ran: Ran, given: str, expect: str, place: str, message: str
) -> None:
    given = given if "orders" in given else f"orders: {{json: {{id: a}}}}, {given}"
    (result,) = ran(
        one(f"fraud: [], {given}", expect, '    now: "2026-07-02T00:00:00Z"\n').replace(
            "json", "modified: 2026-07-01, json"
        )
    )
    told = [(f"{p.span.line}:{p.span.column}", p.message) for p in result.problems if p.span]
    assert (place, f"case `a case`: {message}") in told
