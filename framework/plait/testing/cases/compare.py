"""Compare what a run of a case gave with what the case expects, and report each difference at its place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from plait.problems.problem import Problem
from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS
from plait.testing.cases.display import show_finding, show_pair, show_row, show_steps
from plait.testing.cases.matching import ABSENT, different_cells, pair_findings, pair_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.language.source_map import KeyPath
    from plait.testing.cases.case import Case, CaseOutcome, FailureKind, Finding
    from plait.testing.cases.matching import CellDifference
    from plait.testing.cases.yaml_text import YamlText

UNEXPECTED_MESSAGES = {
    "quarantine": "a record is bad that should not be",
    "retry": "an object must come again that should be done",
    "failed": "an object failed that should be done",
}


def compare(case: Case, outcome: CaseOutcome, yaml_text: YamlText) -> list[Problem]:
    """Every difference, as a problem at its place in the file of cases; none means that the case holds."""
    comparison = _Comparison(case, yaml_text)
    return [*comparison.rows(outcome), *comparison.findings(outcome), *comparison.counts(outcome)]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The differences of a case, by what is compared."""

    case: Case
    yaml_text: YamlText

    def rows(self, outcome: CaseOutcome) -> Iterator[Problem]:
        expected, path = self.case.expected.rows, self.case.rows_path
        paired = pair_rows(expected, outcome.rows)
        for expected_number, actual_number in paired.pairs.items():
            for difference in different_cells(expected[expected_number], outcome.rows[actual_number]):
                yield self._different_cell(expected_number, difference)
        for expected_number in paired.missing:
            message = f"row {expected_number + 1} is missing: {show_row(expected[expected_number])}"
            yield self._problem("missing-row", message, (*path, expected_number))
        columns = list(dict.fromkeys(name for row in expected for name in row))
        for actual_number in paired.extra:
            row = outcome.rows[actual_number]
            shown = show_row({name: row.get(name) for name in columns or row})
            yield self._problem("unexpected-row", f"a row came that is not expected: {shown}", path)

    def _different_cell(self, row: int, cell: CellDifference) -> Problem:
        where = f"row {row + 1}, column {show_steps(cell.steps)}"
        path = (*self.case.rows_path, row, *cell.steps)
        if cell.actual is ABSENT:
            return self._problem("different-cell", f"{where}: there is no such column", path)
        if isinstance(cell.expected, list) and isinstance(cell.actual, list):
            message = f"{where}: expected {len(cell.expected)} elements, got {len(cell.actual)}"
            return self._problem("different-cell", message, path, note=f"got {show_row(cell.actual)}")
        expected, actual = show_pair(cell.expected, cell.actual)
        return self._problem("different-cell", f"{where}: expected {expected}, got {actual}", path)

    def findings(self, outcome: CaseOutcome) -> Iterator[Problem]:
        for kind in FAILURE_KINDS:
            expected, actual = self.case.expected.findings[kind], outcome.findings[kind]
            paired = pair_findings(expected, actual)
            for expected_number, actual_number in zip_longest(paired.missing, paired.extra):
                finding = None if actual_number is None else actual[actual_number]
                yield self._different_finding(kind, expected, expected_number, finding)

    def _different_finding(
        self, kind: FailureKind, expected: Sequence[Finding], number: int | None, actual: Finding | None
    ) -> Problem:
        """A finding that differs from the expected one of this number, or that none is expected."""
        path = (*self.case.path, "expect", kind)
        shown = show_finding(actual) if actual else "none"
        if number is None:
            return self._problem(f"unexpected-{kind}", f"{UNEXPECTED_MESSAGES[kind]}: {shown}", path)
        message = f"{kind} {number + 1}: expected {show_finding(expected[number])}, got {shown}"
        return self._problem(f"different-{kind}", message, (*path, number))

    def counts(self, outcome: CaseOutcome) -> Iterator[Problem]:
        for name in COUNT_NAMES:
            expected, actual = self.case.expected.counts[name], outcome.counts[name]
            if expected != actual:
                message = f"{name}: expected {expected}, got {actual}"
                yield self._problem("different-count", message, (*self.case.path, "expect", name))

    def _problem(self, code: str, message: str, path: KeyPath, note: str | None = None) -> Problem:
        source_map = self.yaml_text.source_map
        message = f"case `{self.case.name[:60]}`: {message}"
        return Problem(
            code=code, message=message, file=source_map.file, span=source_map.value_span(path), note=note
        )
