"""A valid spec is understood: what runs side by side, and what waits for what."""

from __future__ import annotations

from kit.paths import ROOT
from kit.specs import edited, valid
from kit.tables import table
from plait.language.spec import Spec
from plait.language.validate import validate, validate_file
from plait.plan.plan import plan

CITIES = "  cities: {connector: memory, rows: [], columns: {city: string}, join: {on: {name: n}}}\n"


def stages(spec: Spec) -> list[list[str]]:
    """The names of the look-ups of each stage."""
    return [[source.name for source in stage] for stage in plan(spec).stages]


def test_the_main_spec_is_valid_and_its_lookups_run_side_by_side() -> None:
    result = validate_file(str(ROOT / "pipelines" / "transactions.yaml"))
    assert result.problems == ()
    assert result.spec is not None
    assert stages(result.spec) == [["items", "stores", "activity", "fraud"]]


def test_a_lookup_may_join_on_a_column_of_another_wherever_it_stands() -> None:
    """The order of the blocks means nothing: the engine finds the stages."""
    text = table("mistakes/customers.yaml")["spec"]
    assert stages(valid(edited(text, {"  customers:": f"{CITIES}  customers:"}))) == [
        ["customers"],
        ["cities"],
    ]


def test_a_parameter_without_a_value_may_name_any_column() -> None:
    """What only looks like one names none."""
    text = """
plait: 1
name: orders
parameters: {column: {}}
sources: {orders: {connector: json, path: "in/*.json", columns: {id: string}}}
partition_by: {part: "PART"}
sink: {connector: parquet, path: out/}
"""
    codes = {
        part: [problem.code for problem in validate(text.replace("PART", part).encode(), "f").errors]
        for part in ("${column}", "$${other}")
    }
    assert codes == {"${column}": [], "$${other}": ["unknown-column"]}
