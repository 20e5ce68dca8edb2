"""A comparison of two plans finds every change, names it, and says whether it breaks those who read the lake."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from kit.specs import edited, valid
from kit.tables import table
from plait.plan.diff import Change, changes
from plait.plan.plan import Plan, plan

TABLE = table("changes.yaml")
EDITS: list[dict[str, Any]] = TABLE["edits"]
IDS = [edit.get("case") or " ".join(edit["changes"][0][:2]) for edit in EDITS]


def plans(edit: dict[str, Any]) -> tuple[Plan, Plan]:
    """The plans before and after an edit."""
    before = edited(TABLE["spec"], edit.get("first", {}))
    return plan(valid(before)), plan(valid(edited(before, edit["edit"])))


def with_another_sink() -> tuple[Plan, Plan]:
    """A plan, and the same with a sink of another connector."""
    old = plan(valid(TABLE["spec"]))
    sink = replace(old.spec.sink, connector=replace(old.spec.sink.connector, name="elsewhere"))
    return old, replace(old, spec=replace(old.spec, sink=sink))


def rows(listed: tuple[Change, ...]) -> list[list[str | None]]:
    """Changes as the rows of the table."""
    words = {True: "breaking", False: "compatible"}
    return [
        [change.kind, change.name, change.before, change.after, words[change.breaking]] for change in listed
    ]


def test_a_plan_against_itself_has_no_changes() -> None:
    assert changes(plan(valid(TABLE["spec"])), plan(valid(TABLE["spec"]))) == ()


@pytest.mark.fault("P12")
@pytest.mark.parametrize("edit", EDITS, ids=IDS)
def test_the_changes_of_an_edit_are_named_classed_and_ordered(edit: dict[str, Any]) -> None:
    assert rows(changes(*plans(edit))) == edit["changes"]


@pytest.mark.parametrize("edit", EDITS, ids=IDS)
def test_undoing_an_edit_names_the_same_things_or_what_the_table_says(edit: dict[str, Any]) -> None:
    """Neither is ever without a change where the other has one; what the undoing breaks is its own."""
    old, new = plans(edit)
    there, back = changes(old, new), changes(new, old)
    if "back" in edit:
        assert rows(back) == edit["back"]
    else:
        assert sorted(change.name for change in there) == sorted(change.name for change in back)
        assert {(c.name, c.before, c.after) for c in there} == {(c.name, c.after, c.before) for c in back}


def test_another_kind_of_sink_is_another_lake() -> None:
    assert rows(changes(*with_another_sink())) == [
        ["sink-connector", "sink", "parquet", "elsewhere", "breaking"]
    ]
