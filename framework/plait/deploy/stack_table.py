"""The parts of a stack that make the table of the sink, on demand: a table that is there is changed by `plait table`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from plait.plan.lake_table import table_input
from plait.plan.plan import plan

if TYPE_CHECKING:
    from plait.language.spec import Spec

RETAINED = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


class TableParts(NamedTuple):
    """Parameters, conditions and resources of the database and the table, none where the sink has no table."""

    parameters: dict[str, Any]
    conditions: dict[str, Any]
    resources: dict[str, Any]


def table_parts(spec: Spec) -> TableParts:
    """What a stack needs to make the table of a spec; database and table stay when the stack goes."""
    planned, parts = plan(spec), TableParts({}, {}, {})
    if planned.table is None:
        return parts
    name = planned.table.database
    made_or_there = {
        "Fn::If": ["MakesDatabase", {"Ref": "LakeDatabase"}, name]
    }  # the one is made before the other
    inputs: dict[str, Any] = {
        "Database": {"DatabaseInput": {"Name": name}},
        "Table": {"DatabaseName": made_or_there, "TableInput": table_input(planned)},
    }
    for kind, properties in inputs.items():
        parts.parameters[f"Create{kind}"] = {
            "Type": "String",
            "Default": "no",
            "AllowedValues": ["yes", "no"],
            "Description": f"yes: make the {kind.lower()} of the sink. no: it is there; see `plait table`.",
        }
        parts.conditions[f"Makes{kind}"] = {"Fn::Equals": [{"Ref": f"Create{kind}"}, "yes"]}
        parts.resources[f"Lake{kind}"] = {
            "Type": f"AWS::Glue::{kind}",
            "Condition": f"Makes{kind}",
            **RETAINED,
            "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, **properties},
        }
    return parts
