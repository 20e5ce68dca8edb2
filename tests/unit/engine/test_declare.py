"""What a run writes has the schema that the plan promised, read back by two readers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

import plait
from kit.generated_specs import Made, specs
from kit.lake_schema import differences
from plait.pipeline.pipeline import Pipeline

EXAMPLES = 1_000 if os.environ.get("PLAIT_BUDGET") == "large" else 40
BUDGET = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
ORDERS = """\
plait: 1
name: orders
parameters: {root: {}}
sources:
  orders: {connector: memory, rows: [{id: "1"}, {id: "2"}], columns: {id: string}}
"""


@BUDGET
@given(specs())
def test_every_file_has_the_schema_of_the_plan(made: Made) -> None:
    """Name, type and nullability of every column, those within lists too, whatever the spec."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = plait.load(str(made.write(Path(folder))), root=folder)
        report = pipeline.run()
        assert report.files, report.problems
        assert report.ok, report.problems
        assert differences(pipeline.plan(), [Path(file.uri) for file in report.files]) == []


def loaded(folder: Path, text: str) -> Pipeline:
    """A pipeline of two orders and of more sources."""
    (folder / "orders.yaml").write_text(
        f'{ORDERS}{text}sink: {{connector: parquet, path: "${{root}}/lake/"}}\n'
    )
    return plait.load(str(folder / "orders.yaml"), root=str(folder))


def failed(folder: Path, text: str) -> set[str]:
    """Run a spec of which objects fail, and return why."""
    report = loaded(folder, text).run()
    assert report.objects["failed"]
    return {problem.message for problem in report.problems}


def written(folder: Path, text: str) -> list[Any]:
    """Run a spec, hold its files against its plan, and return how they differ."""
    pipeline = loaded(folder, text)
    report = pipeline.run()
    assert report.ok, report.problems
    return differences(pipeline.plan(), [Path(file.uri) for file in report.files])


def test_a_list_of_undeclared_fields_without_a_match_can_be_written(tmp_path: Path) -> None:
    """Nothing says what its elements are, so they are nothing; the row is not lost for that."""
    assert written(tmp_path, "  lines: {connector: memory, rows: [], join: {on: id, as: list}}\n") == []


def test_a_field_that_no_record_has_is_null_in_keys_and_partitions(tmp_path: Path) -> None:
    """Absent and null are the same, whether or not other records of the batch have the field."""
    (tmp_path / "a.json").write_text('{"a": 1}')
    pipeline = tmp_path / "orders.yaml"
    pipeline.write_text("""\
plait: 1
name: orders
parameters: {root: {}}
sources:
  orders: {connector: json, path: "${root}/*.json"}
  names: {connector: memory, rows: [{id: 1, name: Ana}], columns: {name: string}, join: {on: id}}
partition_by: {day: day}
sink: {connector: parquet, path: "${root}/lake/"}
""")
    report = plait.load(str(pipeline), root=str(tmp_path)).run()
    assert (report.ok, report.lookups["names"].missing) == (True, 1)
    assert [file.partition for file in report.files] == ["day=__HIVE_DEFAULT_PARTITION__/"]


def test_two_sources_that_give_one_column_at_run_time_are_refused(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("nr,id\n1,x\n")
    look_up = f"  names: {{connector: csv, path: {tmp_path}/names.csv, join: {{on: {{id: nr}}}}}}\n"
    assert failed(tmp_path, look_up) == {"two sources give the column `id`"}


def test_undeclared_mappings_without_fields_are_refused(tmp_path: Path) -> None:
    """Parquet has no struct without fields, and a run must say so in words."""
    look_up = "  more: {connector: memory, rows: [{id: '1', tags: [{}]}], join: {on: id}}\n"
    assert failed(tmp_path, look_up) == {"`more`, row 0: the values of `tags` have mappings without fields"}


def test_the_columns_of_a_plan_stand_before_those_found_at_run_time(tmp_path: Path) -> None:
    more = """\
  names: {connector: memory, rows: [{id: "1", name: Ana}], join: {on: id}}
  cities: {connector: memory, rows: [{id: "1", city: Rome}], columns: {city: string}, join: {on: id}}
"""
    assert written(tmp_path, more) == []
