"""A value of a row as JSON has it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from plait.problems.problem import Problem, as_json


def json_value(value: Any) -> Any:
    """A value, or a Struct of values, as JSON has it: decimals as text, binary as base64, times as ISO 8601."""
    if isinstance(value, Problem):
        return as_json([value])[0]
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {name: json_value(part) for name, part in value.items()}
    if isinstance(value, list):
        return [json_value(element) for element in value]
    return format(value, "f") if isinstance(value, Decimal) else msgspec.to_builtins(value)


def cell_text(value: Any) -> str:
    """A value of a row as a text of one cell: a text as it is, all else as JSON."""
    value = json_value(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
