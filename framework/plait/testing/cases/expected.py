"""Make what a case expects: rows with values of their columns' types, failures and counts."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.plan.plan import plan
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for
from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS
from plait.testing.cases.matching import Whole
from plait.testing.cases.schema import Base64
from plait.values.convert import convert
from plait.values.iso_times import EPOCH_HELP, SPELLING_HELP
from plait.values.types import Type

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath
    from plait.language.spec import Spec
    from plait.testing.cases.case import Outcome


def read_expected(block: Any, path: KeyPath, spec: Spec, findings: list[Finding]) -> tuple[Outcome, KeyPath]:
    """What a case expects, and the place of its rows in the file."""
    block, rows_path = ({"rows": block}, path) if isinstance(block, list) else (block, (*path, "rows"))
    planned = plan(spec)
    columns = ((field.name, field.type) for field in (*planned.columns, *planned.partitions))
    row_type = Type("struct", fields=tuple(columns))
    rows = enumerate(block.get("rows", ()))
    outcome: Outcome = {"rows": [_cell(row, row_type, (*rows_path, n), findings) for n, row in rows]}
    for kind in FAILURE_KINDS:
        failures = block.get(kind, ())
        outcome[kind] = [{"code": failure} if isinstance(failure, str) else failure for failure in failures]
    return outcome | {name: block.get(name, 0) for name in COUNT_NAMES}, rows_path


def _cell(value: Any, type: Type | None, path: KeyPath, findings: list[Finding]) -> Any:
    """A value as its column has it, of a row or a struct only the fields that are named; adds what does not fit."""
    if type is None or value is None:
        return None
    if type.word == "struct" and isinstance(value, dict):
        types = dict(type.fields)
        for name in value:
            if name not in types:
                help = help_for(name, types, "column", "`plait plan`")
                message = f"no column is called {excerpt(name)}"
                findings.append(Finding((*path, name), message, help, code="unknown-column", at="key"))
        return {name: _cell(part, types.get(name), (*path, name), findings) for name, part in value.items()}
    if type.word == "map" and isinstance(value, dict):
        part_type = type.fields[1][1]
        return Whole({key: _cell(part, part_type, (*path, key), findings) for key, part in value.items()})
    if type.word == "array" and isinstance(value, list):
        element_type = type.fields[0][1]
        return [_cell(element, element_type, (*path, n), findings) for n, element in enumerate(value)]
    return _scalar(value, type, path, findings)


def _scalar(value: Any, type: Type, path: KeyPath, findings: list[Finding]) -> Any:
    """A value that is no mapping or list; adds why it does not fit its type."""
    try:
        if type.word == "binary" and isinstance(value, str):
            return Base64.parse(value)
        converted = convert(value, type)
        return struct.unpack("f", struct.pack("f", converted))[0] if type.word == "float" else converted
    except ValueError as error:
        help = getattr(error, "help", None)
        help = None if help in (SPELLING_HELP, EPOCH_HELP) else help  # a file of cases decodes nothing
        findings.append(Finding(path, str(error), help, code="wrong-value"))
        return None
