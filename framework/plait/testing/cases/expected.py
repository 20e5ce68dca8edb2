"""Make what a case expects: rows with values of their columns' types, failures and counts."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.plan.plan import plan
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for
from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS
from plait.values.convert import ConversionError, convert

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath
    from plait.language.spec import Spec
    from plait.testing.cases.case import Outcome
    from plait.values.types import Type


def read_expected(block: Any, path: KeyPath, spec: Spec, findings: list[Finding]) -> tuple[Outcome, KeyPath]:
    """What a case expects, and the place of its rows in the file."""
    block, rows_path = ({"rows": block}, path) if isinstance(block, list) else (block, (*path, "rows"))
    planned = plan(spec)
    types = {field.name: field.type for field in (*planned.columns, *planned.partitions)}
    reader = _RowReader(types, findings)
    outcome: Outcome = {
        "rows": [reader.row(row, (*rows_path, n)) for n, row in enumerate(block.get("rows", ()))]
    }
    for kind in FAILURE_KINDS:
        failures = block.get(kind, ())
        outcome[kind] = [{"code": failure} if isinstance(failure, str) else failure for failure in failures]
    return outcome | {name: block.get(name, 0) for name in COUNT_NAMES}, rows_path


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Reads expected rows; `types` are those of the columns."""

    types: dict[str, Type]
    findings: list[Finding]

    def row(self, row: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        """A row, whose values are as their columns have them."""
        self._check_names("column", row, self.types, path)
        return {name: self._cell(value, self.types.get(name), (*path, name)) for name, value in row.items()}

    def _cell(self, value: Any, type: Type | None, path: KeyPath) -> Any:
        """A value as its column has it; of a struct only the fields that are named."""
        if type is None or value is None:
            return None
        if type.word == "struct" and isinstance(value, dict):
            fields = dict(type.fields)
            self._check_names("field", value, fields, path)
            return {
                name: self._cell(member, fields.get(name), (*path, name)) for name, member in value.items()
            }
        if type.word == "array" and isinstance(value, list):
            return [self._cell(element, type.fields[0][1], (*path, n)) for n, element in enumerate(value)]
        try:
            return _convert(value, type)
        except ConversionError as error:
            self.findings.append(Finding(path, str(error), error.help, code="wrong-value"))
            return None

    def _check_names(self, noun: str, names: dict[str, Any], known: dict[str, Any], path: KeyPath) -> None:
        for name in names:
            if name not in known:
                help = help_for(name, known, "column", "`plait plan`")
                message = f"no {noun} is called {excerpt(name)}"
                self.findings.append(Finding((*path, name), message, help, code="unknown-column", at="key"))


def _convert(value: Any, type: Type) -> Any:
    """A value of the file as one of a type; raises ConversionError if it does not fit."""
    if type.word == "binary" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ConversionError("binary is written as base64") from None
    converted = convert(value, type)
    return struct.unpack("f", struct.pack("f", converted))[0] if type.word == "float" else converted
