"""The plan tells the type of every column, whether it can be null, and where its values come from."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from kit.paths import ROOT
from plait.engine.engine import Engine
from plait.language.validate import validate
from plait.plan.plan import Field, Plan, plan

BEGINNING = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: raw/*.json
    columns:
      id: {type: string, required: true}
      at: timestamp
      nr: bigint
      word: string
      note: {type: string, default: none}
      object: {type: string, from: $object}
      modified: {type: timestamp, from: $modified}
      etag: {type: string, from: $etag}
  found:
    connector: memory
    rows: []
    columns:
      plain: struct<a:array<int>>
      wanted: {type: int, required: true}
      filled: {type: "decimal(4,2)", default: 1.5, from: deep.value}
"""
SINK = "sink: {connector: parquet, path: lake/}\n"


def planned(join: str, more: str = "") -> Plan:
    """Plan the orders with one look-up."""
    validated = validate(f"{BEGINNING}    join: {join}\n{more}{SINK}", "orders.yaml")
    assert validated.spec, validated.problems
    return plan(validated.spec)


def nullable(fields: tuple[Field, ...]) -> dict[str, bool]:
    """Which columns can be null."""
    return {field.name: field.nullable for field in fields}


def test_a_driver_has_no_null_where_required_filled_or_its_own_uri() -> None:
    assert nullable(planned("{on: id}").fields[:8]) == {
        "id": False,
        "at": True,
        "nr": True,
        "word": True,
        "note": False,
        "object": False,
        "modified": True,
        "etag": True,
    }


@pytest.mark.parametrize("missing", ["keep", "drop", "fail", "{retry_for: 1m}"])
@pytest.mark.parametrize("shape", ["columns", "rows"])
def test_a_lookup_without_a_match_leaves_nulls_only_where_they_may_stand(shape: str, missing: str) -> None:
    """`required` makes such a row bad and a default fills it; a match may have a null whatever `missing` says."""
    fields = planned(f"{{on: id, as: {shape}, missing: {missing}}}").fields[8:]
    assert nullable(fields) == {"plain": True, "wanted": False, "filled": False}


def test_a_list_is_never_null_and_its_elements_have_the_columns_of_the_source() -> None:
    listed = planned("{on: id, as: list}").fields[8]
    kind = "array<struct<plain:struct<a:array<int>>,wanted:int,filled:decimal(4,2)>>"
    assert (listed.name, str(listed.type), listed.nullable, listed.origin) == ("found", kind, False, "found")
    assert nullable(listed.fields) == {"plain": True, "wanted": False, "filled": False}
    assert [field.origin for field in listed.fields] == ["found.plain", "found.wanted", "found.deep.value"]


def test_the_arrow_field_of_a_list_nests_its_nullability() -> None:
    arrow = planned("{on: id, as: list}").fields[8].arrow()
    element = arrow.type.value_field
    assert (arrow.nullable, element.nullable) == (False, False)
    assert [part.nullable for part in element.type] == [True, False, False]
    assert all(part.nullable for part in element.type.field("plain").type)


@pytest.mark.parametrize(
    ("text", "kind", "null"),
    [
        ("date(at)", "date", True),
        ("date(at, Europe/Madrid)", "date", True),
        ("month(at)", "string", True),
        ("hour(at, Asia/Tokyo)", "string", True),
        ("bucket(8, id)", "int", False),
        ("bucket(8, nr)", "int", True),
        ("nr", "bigint", True),
        ("id", "string", True),
    ],
)
def test_a_partition_has_the_type_that_glue_gives_it(text: str, kind: str, null: bool) -> None:
    """It is null where its column is, and where an empty text stands, which lies in the same folder."""
    [part] = planned("{on: id}", f"partition_by: {{p: '{text}'}}\n").partitions
    assert (str(part.type), part.nullable, part.origin) == (kind, null, text)


def test_a_partition_takes_the_column_of_its_name_out_of_the_files() -> None:
    partitioned = planned("{on: id}", "partition_by: {at: date(at), nr: nr}\n")
    assert {"at", "nr"} & {field.name for field in partitioned.columns} == set()
    assert {"at", "nr"} <= {field.name for field in partitioned.fields}


def test_sources_without_columns_are_named_and_the_others_are_known() -> None:
    more = "  open: {connector: memory, rows: [], join: {on: id}}\n"
    listed = "  lines: {connector: memory, rows: [], join: {on: id, as: list}}\n"
    partly_known = planned("{on: id}", more + listed)
    assert partly_known.undeclared == ("open",)
    assert [field.name for field in partly_known.fields[8:]] == ["plain", "wanted", "filled", "lines"]
    lines = partly_known.fields[-1]
    assert (lines.type, lines.nullable, lines.fields) == (None, False, ())


def test_planning_imports_no_arrow() -> None:
    spec = ROOT / "pipelines" / "transactions.yaml"
    code = (
        f"import sys, plait; plait.load({str(spec)!r}).plan();"
        "print([m for m in ('pyarrow', 'pandas', 'boto3', 'obstore') if m in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "[]\n"


def test_a_key_is_cast_to_its_type_though_another_source_is_undeclared() -> None:
    """The text of a number meets the number that it is, whatever the other sources leave open."""
    text = """\
plait: 1
name: orders
sources:
  orders: {connector: memory, rows: [{id: 7}], columns: {id: bigint}}
  open: {connector: memory, rows: [{id: 7, any: x}], join: {on: id}}
  names: {connector: memory, rows: [{id: "7", name: Ana}], columns: {name: string}, join: {on: id}}
sink: {connector: parquet, path: lake/}
"""
    validated = validate(text, "orders.yaml")
    assert validated.spec, validated.problems
    engine = Engine(validated.spec)
    rows: list[dict[str, Any]] = engine.preview(list(engine.find())).to_pylist()
    assert rows == [{"id": 7, "name": "Ana", "any": "x"}]
