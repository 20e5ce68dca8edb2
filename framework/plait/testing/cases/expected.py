"""What must come of a case, with the rows' values as their columns' types have them."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plait.language.structure import ProblemCollector, read_struct
from plait.language.wording import kind_of
from plait.plan.plan import plan
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for
from plait.testing.cases.case import COUNTS, OUTCOMES, Finding, Outcomes
from plait.testing.cases.keys import ExpectBlock, FindingBlock
from plait.values.convert import ConversionError, convert

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath
    from plait.language.spec import Spec
    from plait.testing.cases.yaml_text import Places
    from plait.values.types import Type


def read_expect(
    block: Any, path: KeyPath, spec: Spec, collector: ProblemCollector, places: Places
) -> tuple[Outcomes, KeyPath]:
    """The outcomes that a case expects, and the place of its rows."""
    short = isinstance(block, list)
    rows_path = path if short else (*path, "rows")
    found: ExpectBlock | None = read_struct(ExpectBlock, {"rows": block} if short else block, path, collector)
    if found is None:
        return Outcomes(), rows_path
    reading = _Reading(*_columns(spec), collector)
    rows = [
        reading.row(places.exact(row, (*rows_path, n)), (*rows_path, n))
        for n, row in enumerate(found.rows or ())
    ]
    findings = {
        word: [_finding(one, (*path, word, n), collector) for n, one in enumerate(getattr(found, word) or ())]
        for word in OUTCOMES
    }
    counts = {word: getattr(found, word) for word in COUNTS}
    return Outcomes(rows=rows, findings=findings, counts=counts), rows_path


def _columns(spec: Spec) -> tuple[dict[str, Type | None], bool]:
    """The columns that come out with their types, and whether these are all."""
    planned = plan(spec)
    fields = (*planned.columns, *planned.partitions)
    return {field.name: field.type for field in fields}, not planned.undeclared


def _finding(block: Any, path: KeyPath, collector: ProblemCollector) -> Finding:
    if isinstance(block, str):
        return Finding(code=block)
    found: FindingBlock | None = read_struct(FindingBlock, block, path, collector)
    if found is None:
        return Finding()
    message = found.message.text if found.message else None
    return Finding(code=found.code, message=message, object=found.object)


@dataclass(frozen=True, slots=True)
class _Reading:
    kinds: dict[str, Type | None]
    closed: bool
    collector: ProblemCollector

    def row(self, row: Any, path: KeyPath) -> dict[str, Any]:
        if not isinstance(row, dict):
            self.collector.add_at(path, "wrong-kind", f"expected a mapping of columns, got {kind_of(row)}")
            return {}
        for name in row:
            if name not in self.kinds and self.closed:
                self._unknown("no column is called", name, list(self.kinds), (*path, name))
        return {name: self.cell(value, self.kinds.get(name), (*path, name)) for name, value in row.items()}

    def cell(self, value: Any, kind: Type | None, path: KeyPath) -> Any:
        """A value as its column has it; of a struct only the fields that are named."""
        if kind is None or value is None:
            return _plain(value)
        if kind.word == "struct" and isinstance(value, dict):
            parts = dict(kind.fields)
            for name in value:
                if name not in parts:
                    self._unknown("no field is called", name, list(parts), (*path, name))
            return {name: self.cell(one, parts.get(name), (*path, name)) for name, one in value.items()}
        if kind.word == "array" and isinstance(value, list):
            return [self.cell(one, kind.fields[0][1], (*path, n)) for n, one in enumerate(value)]
        try:
            return _as(value, kind)
        except ConversionError as error:
            self.collector.add_at(path, "wrong-value", str(error), help=error.help)
            return None

    def _unknown(self, message: str, name: str, names: list[str], path: KeyPath) -> None:
        help = help_for(name, names, "column", "`plait plan`")
        self.collector.add_at_key(path, "unknown-column", f"{message} {excerpt(name)}", help=help)


def _as(value: Any, kind: Type) -> Any:
    if kind.word == "binary" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ConversionError("binary is written as base64") from None
    found = convert(value, kind)
    return struct.unpack("f", struct.pack("f", found))[0] if kind.word == "float" else found


def _plain(value: Any) -> Any:
    """A value of a column whose type only the run tells: fractions are doubles there."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value
