"""Each difference between what came and what was expected is reported at its place."""

from __future__ import annotations

import pytest

from unit.testing.cases.conftest import Ran, one_case

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
def test_each_difference_is_reported_at_its_place(
    ran: Ran, given: str, expect: str, place: str, message: str
) -> None:
    given = given if "orders" in given else f"orders: {{json: {{id: a}}}}, {given}"
    (result,) = ran(
        one_case(f"fraud: [], {given}", expect, '    now: "2026-07-02T00:00:00Z"\n').replace(
            "json", "modified: 2026-07-01, json"
        )
    )
    reported = [(f"{p.span.line}:{p.span.column}", p.message) for p in result.problems if p.span]
    assert (place, f"case `a case`: {message}") in reported
