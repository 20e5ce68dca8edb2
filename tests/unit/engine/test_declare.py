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


def written(folder: Path, text: str) -> list[Any]:
    """Run a spec, hold its files against its plan, and return how they differ."""
    spec = folder / "orders.yaml"
    spec.write_text(f'{ORDERS}{text}sink: {{connector: parquet, path: "${{root}}/lake/"}}\n')
    pipeline = plait.load(str(spec), root=str(folder))
    report = pipeline.run()
    assert report.ok, report.problems
    return differences(pipeline.plan(), [Path(file.uri) for file in report.files])


def test_a_list_of_undeclared_fields_without_a_match_can_be_written(tmp_path: Path) -> None:
    """Nothing says what its elements are, so they are nothing; the row is not lost for that."""
    assert written(tmp_path, "  lines: {connector: memory, rows: [], join: {on: id, as: list}}\n") == []


def test_the_columns_of_a_plan_stand_before_those_found_at_run_time(tmp_path: Path) -> None:
    more = """\
  names: {connector: memory, rows: [{id: "1", name: Ana}], join: {on: id}}
  cities: {connector: memory, rows: [{id: "1", city: Rome}], columns: {city: string}, join: {on: id}}
"""
    assert written(tmp_path, more) == []
