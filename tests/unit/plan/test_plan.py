"""The plan tells the type of every column, whether it can be null, and where its values come from."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from kit.paths import ROOT
from kit.specs import edited, valid
from kit.tables import table
from plait.plan.plan import Field, plan

TABLE = table("plans.yaml")


def rows(fields: tuple[Field, ...]) -> list[list[Any]]:
    """Fields as the rows of the table."""
    return [
        [
            field.name,
            str(field.type),
            "can be null" if field.nullable else "never null",
            field.origin,
            *([rows(field.fields)] if field.fields else []),
        ]
        for field in fields
    ]


@pytest.mark.parametrize("expected", TABLE["plans"], ids=lambda expected: expected["case"])
def test_a_plan_knows_the_columns_and_partitions(expected: dict[str, Any]) -> None:
    planned = plan(valid(edited(TABLE["spec"], expected.get("edit", {}))))
    driver, lookups = rows(planned.fields[:8]), rows(planned.fields[8:])
    assert driver == expected.get("driver", driver)
    assert lookups == expected.get("columns", lookups)
    assert rows(planned.partitions) == expected.get("partitions", rows(planned.partitions))
    assert {field.name for field in planned.columns}.isdisjoint(expected.get("files_without", ()))


def test_the_arrow_field_of_a_list_nests_its_nullability() -> None:
    arrow = plan(valid(edited(TABLE["spec"], {"{on: id}": "{on: id, as: list}"}))).fields[8].arrow()
    element = arrow.type.value_field
    assert (arrow.nullable, element.nullable) == (False, False)
    assert [part.nullable for part in element.type] == [True, False, False]
    assert all(part.nullable for part in element.type.field("plain").type)


def test_planning_imports_no_arrow() -> None:
    spec = ROOT / "pipelines" / "transactions.yaml"
    code = (
        f"import sys, plait; plait.load({str(spec)!r}).plan();"
        "print([m for m in ('pyarrow', 'pandas', 'boto3', 'obstore') if m in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "[]\n"
