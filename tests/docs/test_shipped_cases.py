"""The cases of `pipelines/transactions.yaml` notice an edit that changes what comes out."""

from __future__ import annotations

import pytest

from kit.paths import ROOT
from plait.testing.cases.read import SpecVariants, read_cases
from plait.testing.cases.suite import Suite, load, run
from plait_sandbox.quirks import QUIRKS

SPEC = ROOT / "pipelines" / "transactions.yaml"
TEXT = SPEC.read_text(encoding="utf-8")
EDITS = [
    ("transactions/*.json", "transactions/**.json"),
    ("transactions/*.json", "transactions/a*.json"),
    ("embedded_data: [base64, json]", "embedded_data: [base64, gzip, json]"),
    ("ordered_at: timestamp", "ordered_at: {type: timestamp, from: at}"),
    ("transaction_id: {type: string, required: true}", "transaction_id: string"),
    ("store_id: bigint", "store_id: {type: bigint, default: 1}"),
    ("total: decimal(12,2)", "total: decimal(12,3)"),
    ("total: decimal(12,2)", "total: decimal(9,2)"),
    ("total: decimal(12,2)", "total: double"),
    ("embedded_data.loyalty.tier", "embedded_data.tier"),
    ("embedded_data.loyalty.points", "embedded_data.loyalty.tier"),
    ("items/{transaction_id}.csv", "items/{customer_id}.csv"),
    ('unit_price: "decimal(12,2)"', "unit_price: int"),
    ("sku: string, quantity: int", "sku: string, quantity: {type: int, default: 1}"),
    ("join: {on: transaction_id, as: list}", "join: {on: transaction_id, as: list, missing: drop}"),
    ("{type: string, from: name}", "{type: string, from: city}"),
    ("join: {on: store_id}", "join: {on: store_id, missing: fail}"),
    ("join: {on: store_id}", "join: {on: store_id, missing: drop}"),
    ("join: {on: store_id}", "join: {on: store_id, as: rows}"),
    ("join: {on: customer_id}", "join: {on: customer_id, missing: fail}"),
    ("join: {on: customer_id}", "join: {on: {transaction_id: customer_id}}"),
    ("*transaction {transaction_id} scored", "*model {transaction_id}: transaction * scored"),
    ("before: 1h", "before: 2h"),
    ("after: 1h", "after: 59m"),
    ("after: 1h", "after: 4h"),
    ("{type: int, default: 0}", "int"),
    ("duplicates: latest", "duplicates: fail"),
    ("date: date(ordered_at)", "date: date(ordered_at, Europe/Madrid)"),
    ("date: date(ordered_at)", "day: date(ordered_at)"),
    ("quarantine: ${lake}/quarantine/transactions/\n", ""),
]


@pytest.mark.parametrize(("old", "new"), EDITS)
def test_an_edit_that_changes_what_comes_out_breaks_a_case(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    specs = SpecVariants(TEXT.replace(old, new), str(SPEC))
    assert specs.unchanged.errors == ()
    cases = SPEC.with_suffix(".test.yaml")
    file = read_cases(cases.read_bytes(), str(cases), specs)
    suite = Suite(spec=str(SPEC), file=file, problems=file.problems, texts={})
    assert file.problems or any(run(suite, [case])[0].problems for case in file.cases)


def test_every_oddity_of_the_sample_data_has_its_case() -> None:
    names = {case.name for case in load(str(SPEC)).file.cases}
    assert {*QUIRKS, "not_json"} <= names
