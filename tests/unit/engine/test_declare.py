"""What a run writes has the schema that the plan promised, read back by two readers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

import plait
from kit.mutants.generated_specs import Made, specs
from kit.oracle.lake_schema import differences

EXAMPLES = 1_000 if os.environ.get("PLAIT_BUDGET") == "large" else 40
BUDGET = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])


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
