"""A comparison of two plans finds every change, names it, and says whether it breaks those who read the lake."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plait.language.validate import validate
from plait.plan.diff import Change, changes
from plait.plan.plan import Plan, plan

SPEC = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: raw/*.json
    columns:
      id: {type: string, required: true}
      at: timestamp
      total: decimal(10,2)
      tags: struct<a:int>
      note: {type: string, default: none}
  lines:
    connector: memory
    rows: [{id: a1, sku: tea}]
    columns: {sku: string, price: {type: int, from: unit.price}}
    join: {on: id, as: list}
  stores:
    connector: memory
    rows: [{id: a1, city: Lugo}]
    columns: {city: string}
    join: {on: id, missing: keep, duplicates: fail}
  fraud:
    connector: cloudwatch_logs
    log_group: /shop/fraud
    pattern: "order {id} scored {score}"
    window: {around: at, before: 1h, after: 15m}
    columns: {score: int}
    join: {on: id, duplicates: latest}
partition_by: {day: date(at), part: "bucket(8, id)"}
sink: {connector: parquet, path: lake/}
quarantine: bad/
"""
STORES = SPEC[SPEC.index("  stores:") : SPEC.index("  fraud:")]


IN_FILES = STORES.replace(
    "connector: memory\n    rows: [{id: a1, city: Lugo}]", "connector: csv\n    path: x/{id}.csv"
)
BY_TOTAL = SPEC.replace("partition_by: {", "partition_by: {sum: total, ")
BY_STORES = (
    SPEC.replace("connector: json\n    path: raw/*.json", "connector: memory\n    rows: [{id: a1}]")
    .replace("    join: {on: id, missing: keep, duplicates: fail}\n", "", 1)
    .replace(
        "      note: {type: string, default: none}\n",
        "      note: {type: string, default: none}\n    join: {on: city}\n",
    )
)


def with_another_sink(old: Plan) -> Plan:
    """The same plan, with a sink of another connector."""
    sink = replace(old.spec.sink, connector=replace(old.spec.sink.connector, name="elsewhere"))
    return replace(old, spec=replace(old.spec, sink=sink))


def planned(text: str) -> Plan:
    """Plan a spec that must be valid."""
    validated = validate(text, "orders.yaml")
    assert validated.spec, validated.problems
    return plan(validated.spec)


def changes_of_edit(before: str, after: str) -> list[Change]:
    """The changes when one text of the spec is replaced by another."""
    assert SPEC.count(before) == 1
    return [*changes(planned(SPEC), planned(SPEC.replace(before, after)))]


def test_a_plan_against_itself_has_no_changes() -> None:
    assert changes(planned(SPEC), planned(SPEC)) == ()


COLUMNS = [
    ("      at: timestamp\n", "      at: timestamp\n      more: int\n", "column-added", "more", None, "int", False),
    ("      total: decimal(10,2)\n", "", "column-removed", "total", "decimal(10,2)", None, True),
    ("decimal(10,2)", "decimal(12,2)", "column-type", "total", "decimal(10,2)", "decimal(12,2)", True),
    ("struct<a:int>", "struct<a:int,b:int>", "column-type", "tags", "struct<a:int>", "struct<a:int,b:int>", False),
    ("struct<a:int>", "struct<a:bigint>", "column-type", "tags", "struct<a:int>", "struct<a:bigint>", True),
    ("struct<a:int>", "array<int>", "column-type", "tags", "struct<a:int>", "array<int>", True),
    ("struct<a:int>", "{type: struct<a:int>, required: true}", "column-tightened", "tags", "can be null", "never null", False),
    (", required: true}", "}", "column-loosened", "id", "never null", "can be null", True),
    (", default: none}", "}", "column-loosened", "note", "never null", "can be null", True),
    ("default: none", "default: nothing", "column-default", "note", "`none`", "`nothing`", True),
    ("default: none", "required: true", "column-default", "note", "`none`", None, True),
    ("at: timestamp", "at: {type: timestamp, from: made.at}", "column-origin", "at", "orders.at", "orders.made.at", True),
    ("sku: string, ", "sku: string, n: int, ", "column-added", "lines.n", None, "int", False),
    ("sku: string, ", "", "column-removed", "lines.sku", "string", None, True),
    ("type: int, from: unit.price", "type: bigint, from: unit.price", "column-type", "lines.price", "int", "bigint", True),
    ("from: unit.price", "from: price", "column-origin", "lines.price", "lines.unit.price", "lines.price", True),
    ("sku: string, ", "sku: {type: string, default: ''}, ", "column-tightened", "lines.sku", "can be null", "never null", False),
]  # fmt: skip
JOINS = [
    ("missing: keep", "missing: drop", "join-missing", "stores", "keep", "drop", True),
    ("missing: keep", "missing: fail", "join-missing", "stores", "keep", "fail", True),
    ("missing: keep", "missing: {retry_for: 90s}", "join-missing", "stores", "keep", "{retry_for: 90s}", False),
    ("duplicates: fail", "duplicates: first", "join-duplicates", "stores", "fail", "first", False),
    ("duplicates: latest", "duplicates: fail", "join-duplicates", "fraud", "latest", "fail", True),
    ("{on: id, as: list}", "{on: {note: id}, as: list}", "join-on", "lines", "id", "note = id", True),
    ("missing: keep, duplicates: fail", "missing: keep, as: rows", "join-as", "stores", "columns", "rows", True),
    ("before: 1h", "before: 2h", "join-window", "fraud", "1h before at to 15m after", "2h before at to 15m after", True),
]  # fmt: skip
PLACES = [
    ("{day: date(at), ", "{", "partition-removed", "day", "date", None, True),
    ("{day: date(at), ", "{day: date(at), note: note, ", "partition-added", "note", None, "string", True),
    ("date(at)", "'date(at, Europe/Madrid)'", "partition-origin", "day", "date(at)", "date(at, Europe/Madrid)", True),
    ("date(at)", "month(at)", "partition-type", "day", "date", "string", True),
    ("bucket(8, id)", "bucket(16, id)", "partition-origin", "part", "bucket(8, id)", "bucket(16, id)", True),
    ("path: lake/", "path: pond/", "sink-path", "sink", "lake/", "pond/", True),
    ("quarantine: bad/\n", "", "quarantine-path", "quarantine", "bad/", None, False),
]  # fmt: skip


@pytest.mark.fault("P12")
@pytest.mark.parametrize(
    ("before", "after", "kind", "name", "was", "now", "breaking"), [*COLUMNS, *JOINS, *PLACES]
)
def test_each_change_is_named_and_classed(
    before: str, after: str, kind: str, name: str, was: str | None, now: str | None, *, breaking: bool
) -> None:
    """One edit of the spec, and the change that it is for readers."""
    change = Change(kind=kind, name=name, before=was, after=now, breaking=breaking)
    assert change in changes_of_edit(before, after)


@pytest.mark.parametrize("edit", [row[:2] for row in (*COLUMNS, *JOINS)])
def test_a_change_and_its_undoing_name_the_same_things(edit: tuple[str, str]) -> None:
    """Neither is ever without a change where the other has one."""
    old, new = planned(SPEC), planned(SPEC.replace(*edit))
    edit_changes, back = changes(old, new), changes(new, old)
    assert sorted(c.name for c in edit_changes) == sorted(c.name for c in back)
    assert {(c.name, c.before, c.after) for c in edit_changes} == {(c.name, c.after, c.before) for c in back}


def test_changes_that_break_readers_come_first() -> None:
    edited = SPEC.replace("path: lake/", "path: pond/").replace(
        "at: timestamp\n", "at: timestamp\n      n: int\n"
    )
    assert [c.breaking for c in changes(planned(SPEC), planned(edited))] == [True, False]


def test_another_order_of_partitions_is_another_layout() -> None:
    """The folders nest the other way, so paths that readers know are gone."""
    [change] = changes_of_edit(
        '{day: date(at), part: "bucket(8, id)"}', '{part: "bucket(8, id)", day: date(at)}'
    )
    assert (change.kind, change.before, change.after, change.breaking) == (
        "partition-order",
        "day, part",
        "part, day",
        True,
    )


def test_a_partition_that_takes_a_column_out_of_the_files_is_two_changes() -> None:
    kinds = {(change.kind, change.name) for change in changes_of_edit("{day: date(at)", "{at: date(at)")}
    assert kinds == {("column-removed", "at"), ("partition-removed", "day"), ("partition-added", "at")}


def test_a_renamed_block_is_the_same_source() -> None:
    """Its columns come from the same place, whatever the author calls the block now."""
    [change] = changes_of_edit("  stores:\n", "  shops:\n")
    assert change == Change(
        kind="source-renamed", name="shops", before="stores", after="shops", breaking=False
    )


@pytest.mark.parametrize(
    ("join", "breaking"),
    [("{on: id}", False), ("{on: id, missing: drop}", True), ("{on: id, as: rows}", True)],
)
def test_a_new_source_breaks_readers_where_it_changes_which_rows_there_are(
    join: str, *, breaking: bool
) -> None:
    more = f"  new: {{connector: memory, rows: [{{id: z}}], columns: {{z: int}}, join: {join}}}\n"
    both = changes_of_edit("partition_by:", f"{more}partition_by:")
    added = [change for change in both if change.kind == "source-added"]
    assert [(change.name, change.breaking) for change in added] == [("new", breaking)]
    assert [change.kind for change in both if change not in added] == ["column-added"]


def test_a_new_source_with_a_required_column_makes_records_bad() -> None:
    more = "  new: {connector: memory, rows: [], columns: {z: {type: int, required: true}}, join: {on: id}}\n"
    assert changes_of_edit("partition_by:", f"{more}partition_by:")[0].kind == "source-added"


def test_a_removed_source_takes_its_columns_along() -> None:
    removed = changes_of_edit(STORES, "")
    assert {(c.kind, c.name, c.breaking) for c in removed} == {
        ("source-removed", "stores", False),
        ("column-removed", "city", True),
    }


def test_no_longer_declaring_columns_breaks_readers_and_declaring_them_does_not() -> None:
    undeclared = changes_of_edit("    columns: {city: string}\n", "")
    assert ("columns-undeclared", "stores", True) in {(c.kind, c.name, c.breaking) for c in undeclared}
    open_spec = SPEC.replace("    columns: {city: string}\n", "")
    back = changes(planned(open_spec), planned(SPEC))
    assert {(c.kind, c.name, c.breaking) for c in back} == {
        ("columns-declared", "stores", False),
        ("column-added", "city", False),
    }


def test_another_driver_makes_other_rows() -> None:
    edited = SPEC.replace("  orders:\n", "  tickets:\n").replace("path: raw/*", "path: tickets/*")
    breaking = {(c.kind, c.name) for c in changes(planned(SPEC), planned(edited)) if c.breaking}
    assert {("source-removed", "orders"), ("source-added", "tickets"), ("column-origin", "id")} <= breaking


def test_another_block_that_drives_is_named_as_such() -> None:
    drivers = [c for c in changes(planned(SPEC), planned(BY_STORES)) if c.kind == "driver"]
    assert {change.name for change in drivers} == {"orders", "stores"}
    assert all(change.breaking for change in drivers)


def test_a_partition_can_be_null_where_its_column_can() -> None:
    required = BY_TOTAL.replace("total: decimal(10,2)", "total: {type: 'decimal(10,2)', required: true}")
    tight = {(c.kind, c.name, c.breaking) for c in changes(planned(BY_TOTAL), planned(required))}
    loose = {(c.kind, c.name, c.breaking) for c in changes(planned(required), planned(BY_TOTAL))}
    assert tight == {("column-tightened", "total", False), ("partition-tightened", "sum", False)}
    assert loose == {("column-loosened", "total", True), ("partition-loosened", "sum", True)}


def test_another_kind_of_sink_is_another_lake() -> None:
    old = planned(SPEC)
    [change] = changes(old, with_another_sink(old))
    assert (change.kind, change.before, change.after, change.breaking) == (
        "sink-connector",
        "parquet",
        "elsewhere",
        True,
    )


def test_the_same_columns_from_another_service_are_a_change_that_breaks_nobody() -> None:
    [change] = changes_of_edit(STORES, IN_FILES)
    assert (change.kind, change.before, change.after, change.breaking) == (
        "source-connector",
        "memory",
        "csv",
        False,
    )
