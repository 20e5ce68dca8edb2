"""`--update` writes what came into the file, and leaves everything else as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from plait.plugin import GiveUp
from plait.testing.cases.suite import Suite, run, update
from unit.testing.cases.conftest import Cases

HEAD = """\
# Comments and layout   stay.
given: {stores: [{nr: 7, city: Lugo}]}   # one store
now: "2026-07-01T12:00:00Z"
cases:
  first:
    given:
      orders: {modified: 2026-07-01, json: {id: a, store: 7, total: 12.50, at: "2026-07-01T10:00:00Z"}}
      items: [{id: a, sku: tea, quantity: 2}, {id: a, sku: cup}]
"""
TAIL = """\

  # The last one holds.
  last:
    given: {orders: {gone: true}}
    expect: {gone: 1}  # gone
"""
BAD = HEAD.replace("id: a, store", "store")
REWRITTEN = [
    ("a cell", HEAD, "    expect: [{id: a, total: 3}]  # why\n", "    expect: [{id: a, total: 12.50}]  # why\n"),
    ("cells of a block", HEAD, """\
    expect:
      # the row
      - id: a
        total: 3      # money
        at: null      # time
        date: ~
""", """\
    expect:
      # the row
      - id: a
        total: 12.50      # money
        at: "2026-07-01T10:00:00Z"      # time
        date: 2026-07-01
"""),
    ("a cell within a list", HEAD, "    expect: [{items: [{sku: tea, quantity: 3}, {sku: cup}]}]\n",
     "    expect: [{items: [{sku: tea, quantity: 2}, {sku: cup}]}]\n"),
    ("a list, with the fields that were named", HEAD, "    expect: [{items: [{sku: tea}]}]\n",
     "    expect: [{items: [{sku: tea}, {sku: cup}]}]\n"),
    ("text over several lines", HEAD, "    expect:\n      - id: |\n          b\n        total: 12.5\n",
     "    expect:\n      - {id: a, total: 12.50}\n"),
    ("a cell without a value", HEAD, "    expect:\n      - total: 12.5\n        id:\n",
     "    expect:\n      - {total: 12.50, id: a}\n"),
    ("a row too many", HEAD, "    expect:\n      - {id: b}\n      - {id: a}\n", "    expect:\n      - {id: a}\n"),
    ("a row too few", HEAD, "    expect: {rows: []}\n", "    expect: {rows: [{ALL}]}\n"),
    ("rows in place of a bad record", HEAD, "    expect: {quarantine: [bad-value]}\n", "    expect: {rows: [{ALL}]}\n"),
    ("a bad record in place of rows", BAD, "    expect: [{id: a}]\n", "    expect: {quarantine: [required-null]}\n"),
    ("a bad record in place of rows in a block", BAD, "    expect:\n      - {id: a}\n",
     "    expect:\n      quarantine: [required-null]\n"),
    ("a list beneath its key", BAD, "    expect:\n    - {id: a}\n", "    expect:\n      quarantine: [required-null]\n"),
    ("what else was expected of the bad record", BAD,
     "    expect:\n      quarantine:\n        - {message: is required}\n      skipped: 1\n",
     "    expect:\n      quarantine: [{message: is required}]\n"),
]  # fmt: skip
ALL = (
    'id: a, at: "2026-07-01T10:00:00Z", store: 7, total: 12.50, weight: null, blob: none, customer: null, '
    "items: [{sku: tea, quantity: 2, fresh: null}, {sku: cup, quantity: null, fresh: null}], "
    "city: Lugo, score: 0, region: Galicia, date: 2026-07-01"
)


def _update(suite: Suite) -> list[str]:
    return [case.name for case in update(suite, run(suite, suite.file.cases))]


@pytest.mark.parametrize(
    ("head", "before", "after"), [pytest.param(*rest, id=name) for name, *rest in REWRITTEN]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_file_expects_what_came_and_is_unchanged_elsewhere(
    cases: Cases, head: str, before: str, after: str, newline: str
) -> None:
    suite = cases((head + before + TAIL).replace("\n", newline))
    assert _update(suite) == ["first"]
    text = Path(suite.file.file).read_bytes().decode()
    assert text == (head + after.replace("{ALL}", "{" + ALL + "}") + TAIL).replace("\n", newline)
    assert _update(cases(text)) == []


def test_a_byte_order_mark_stays_at_the_beginning(cases: Cases) -> None:
    suite = cases("\ufeff" + HEAD + "    expect: []\n")
    assert _update(suite) == ["first"]
    assert Path(suite.file.file).read_bytes().startswith(b"\xef\xbb\xbf# Comments")


def test_a_long_row_is_written_over_several_lines(cases: Cases) -> None:
    suite = cases(HEAD + "    expect:\n      quarantine: [bad-value]\n")
    _update(suite)
    text = Path(suite.file.file).read_text(encoding="utf-8")
    assert text.startswith(f'{HEAD}    expect:\n      rows:\n        - id: a\n          at: "2026-07-01T10')


def test_a_new_row_has_the_columns_that_the_other_rows_name(cases: Cases) -> None:
    suite = cases(HEAD.replace("orders: {", "orders: [{modified: 2026-07-01, json: {id: b}}, {")
                  .replace('10:00:00Z"}}\n', '10:00:00Z"}}]\n') + "    expect:\n      - {id: a, total: 12.5}\n")  # fmt: skip
    _update(suite)
    text = Path(suite.file.file).read_text(encoding="utf-8")
    assert text.endswith("    expect:\n      - {id: a, total: 12.50}\n      - {id: b, total: null}\n")


def test_a_file_that_would_not_be_read_as_what_came_is_left_unchanged(cases: Cases) -> None:
    text = HEAD + "    expect: [{id: b}]\n"
    suite = cases(text)
    results = run(suite, suite.file.cases)
    Path(suite.spec).unlink()
    suite.texts[suite.spec] = suite.texts[suite.spec].replace(
        "      id: {type: string, required: true}\n", ""
    )
    with pytest.raises(GiveUp, match="cannot be rewritten"):
        update(suite, results)
    assert Path(suite.file.file).read_text(encoding="utf-8") == text
