"""Read what a case expects: rows with values of their columns' types, failures and counts."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.language.wording import kind_of
from plait.plan.plan import plan
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for
from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS, CaseOutcome, Finding
from plait.testing.cases.keys import ExpectBlock, FindingBlock
from plait.values.convert import ConversionError, convert

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath
    from plait.language.spec import Spec
    from plait.testing.cases.problem_collector import ProblemCollector
    from plait.testing.cases.yaml_text import YamlText
    from plait.values.types import Type


def read_expected(
    block: Any, path: KeyPath, spec: Spec, collector: ProblemCollector, yaml_text: YamlText
) -> tuple[CaseOutcome, KeyPath]:
    """The outcomes that a case expects, and the place of its rows in the file."""
    is_list_of_rows = isinstance(block, list)
    rows_path = path if is_list_of_rows else (*path, "rows")
    mapping = {"rows": block} if is_list_of_rows else block
    expect: ExpectBlock | None = collector.read_struct(ExpectBlock, mapping, path)
    if expect is None:
        return CaseOutcome(), rows_path
    reader = _RowReader(_output_columns(spec), collector)
    rows = [
        reader.row(yaml_text.with_decimals(row, (*rows_path, n)), (*rows_path, n))
        for n, row in enumerate(expect.rows or ())
    ]
    findings = {
        kind: [
            _read_finding(finding, (*path, kind, n), collector)
            for n, finding in enumerate(getattr(expect, kind) or ())
        ]
        for kind in FAILURE_KINDS
    }
    counts = {name: getattr(expect, name) for name in COUNT_NAMES}
    return CaseOutcome(rows=rows, findings=findings, counts=counts), rows_path


def _output_columns(spec: Spec) -> dict[str, Type]:
    """The columns of the output with their types."""
    planned = plan(spec)
    return {field.name: field.type for field in (*planned.columns, *planned.partitions)}


def _read_finding(block: Any, path: KeyPath, collector: ProblemCollector) -> Finding:
    """Read a finding: the code alone, or a mapping of what is compared."""
    if isinstance(block, str):
        return Finding(code=block)
    finding: FindingBlock | None = collector.read_struct(FindingBlock, block, path)
    if finding is None:
        return Finding()
    message = finding.message.text if finding.message else None
    return Finding(code=finding.code, message=message, object=finding.object)


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Reads expected rows; `types` are those of the columns."""

    types: dict[str, Type]
    collector: ProblemCollector

    def row(self, row: Any, path: KeyPath) -> dict[str, Any]:
        if not isinstance(row, dict):
            self.collector.add_at(path, "wrong-kind", f"expected a mapping of columns, got {kind_of(row)}")
            return {}
        for name in row:
            if name not in self.types:
                self._add_unknown("no column is called", name, list(self.types), (*path, name))
        return {name: self.cell(value, self.types.get(name), (*path, name)) for name, value in row.items()}

    def cell(self, value: Any, type: Type | None, path: KeyPath) -> Any:
        """A value as its column has it; of a struct only the fields that are named."""
        if type is None or value is None:
            return value
        if type.word == "struct" and isinstance(value, dict):
            field_types = dict(type.fields)
            for name in value:
                if name not in field_types:
                    self._add_unknown("no field is called", name, list(field_types), (*path, name))
            return {
                name: self.cell(member, field_types.get(name), (*path, name))
                for name, member in value.items()
            }
        if type.word == "array" and isinstance(value, list):
            return [self.cell(element, type.fields[0][1], (*path, n)) for n, element in enumerate(value)]
        try:
            return _convert(value, type)
        except ConversionError as error:
            self.collector.add_at(path, "wrong-value", str(error), help=error.help)
            return None

    def _add_unknown(self, message: str, name: str, names: list[str], path: KeyPath) -> None:
        help = help_for(name, names, "column", "`plait plan`")
        self.collector.add_at_key(path, "unknown-column", f"{message} {excerpt(name)}", help=help)


def _convert(value: Any, type: Type) -> Any:
    """A value of the file as one of a type; raises ConversionError if it does not fit."""
    if type.word == "binary" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ConversionError("binary is written as base64") from None
    converted = convert(value, type)
    return struct.unpack("f", struct.pack("f", converted))[0] if type.word == "float" else converted
