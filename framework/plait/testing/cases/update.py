"""Rewrite the expectations of failing cases in their file, keeping comments and layout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS, Finding
from plait.testing.cases.matching import ABSENT, different_cells, pair_findings, pair_rows
from plait.testing.cases.yaml_text import flow_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.testing.cases.case import Case, CaseOutcome
    from plait.testing.cases.yaml_text import YamlText

LINE_WIDTH = 100
EMPTY_VALUE = re.compile(r"[ \t]*:[ \t]*(?=\r?\n|\Z)")


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Text to put in place of what stands between two offsets."""

    begin: int
    end: int
    text: str


def rewrite(yaml_text: YamlText, results: Iterable[tuple[Case, CaseOutcome]]) -> str:
    """The text of the file in which each of these cases expects what it gave."""
    text = yaml_text.source_map.text
    newline = "\r\n" if "\r\n" in text else "\n"
    edits = [edit for case, outcome in results for edit in _edits(yaml_text, case, outcome)]
    for edit in sorted(edits, reverse=True):
        text = text[: edit.begin] + edit.text.replace("\n", newline) + text[edit.end :]
    return text


def _edits(yaml_text: YamlText, case: Case, outcome: CaseOutcome) -> list[Edit]:
    """Edits of single cells if only cells differ, else one of the whole expectation."""
    if _only_rows_differ(case, outcome) and (edits := _cell_edits(yaml_text, case, outcome)) is not None:
        return edits
    return [_expect_edit(yaml_text, case, outcome)]


def _only_rows_differ(case: Case, outcome: CaseOutcome) -> bool:
    expected = case.expected
    paired = [pair_findings(expected.findings[kind], outcome.findings[kind]) for kind in FAILURE_KINDS]
    findings_agree = not any(pairs.missing or pairs.extra for pairs in paired)
    return findings_agree and expected.counts == outcome.counts


def _cell_edits(yaml_text: YamlText, case: Case, outcome: CaseOutcome) -> list[Edit] | None:
    """An edit for each cell that differs; None if rows are missing or extra, or a cell does not stand on one line."""
    paired = pair_rows(case.expected.rows, outcome.rows)
    if paired.missing or paired.extra:
        return None
    edits = []
    for expected_number, actual_number in paired.pairs.items():
        for cell in different_cells(case.expected.rows[expected_number], outcome.rows[actual_number]):
            span = yaml_text.source_map.value_spans.get((*case.rows_path, expected_number, *cell.steps))
            if cell.actual is ABSENT or span is None or span.line != span.end_line:
                return None
            edits.append(Edit(*yaml_text.offsets(span), flow_yaml(select_named(cell.expected, cell.actual))))
    return edits


def _expect_edit(yaml_text: YamlText, case: Case, outcome: CaseOutcome) -> Edit:
    """The edit that replaces the whole expectation of a case."""
    path = (*case.path, "expect")
    source_map = yaml_text.source_map
    key, span = source_map.key_spans[path], source_map.value_spans[path]
    begin, end = yaml_text.offsets(span)
    old = source_map.text[begin:end].rstrip()
    end = begin + len(old)
    if empty := EMPTY_VALUE.match(source_map.text, end):
        end = empty.end()
    value = _expectation(case, outcome)
    if span.line == key.line or old[0] in "[{":
        return Edit(begin, end, flow_yaml(value))
    indent = max(span.column - 1, key.column + 1)
    return Edit(begin, end, " " * (indent - span.column + 1) + block_yaml(value, indent))


def _expectation(case: Case, outcome: CaseOutcome) -> Any:
    """What came, in the form and with the columns that the case uses."""
    findings = {
        kind: _new_findings(case.expected.findings[kind], outcome.findings[kind]) for kind in FAILURE_KINDS
    }
    failures: dict[str, Any] = {kind: listed for kind, listed in findings.items() if listed}
    failures |= {name: outcome.counts[name] for name in COUNT_NAMES if outcome.counts[name]}
    rows = _new_rows(case.expected.rows, outcome.rows)
    if not failures:
        return rows if case.rows_path == (*case.path, "expect") or not rows else {"rows": rows}
    return {"rows": rows, **failures} if rows else failures


def _new_rows(expected: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The rows that came, those that were expected in their old order and with the columns that they name."""
    paired = pair_rows(expected, actual)
    columns = list(dict.fromkeys(name for row in expected for name in row))
    old = [
        select_named(expected[expected_number], actual[actual_number])
        for expected_number, actual_number in sorted(paired.pairs.items())
    ]
    new = [
        {name: actual[n].get(name) for name in columns or actual[n] if name in actual[n]}
        for n in paired.extra
    ]
    return old + new


def _new_findings(expected: Sequence[Finding], actual: Sequence[Finding]) -> list[Any]:
    """The findings that came: those that were expected as they were written, the others by their code."""
    paired = pair_findings(expected, actual)
    old = [_written_finding(expected[expected_number]) for expected_number, _ in sorted(paired.pairs.items())]
    return old + [actual[n].code for n in paired.extra]


def _written_finding(finding: Finding) -> Any:
    """A finding as a file of cases has it: the code alone, or a mapping."""
    fields = {"code": finding.code, "message": finding.message, "object": finding.object}
    present = {name: text for name, text in fields.items() if text is not None}
    return finding.code if [*present] == ["code"] else present


def select_named(expected: Any, actual: Any) -> Any:
    """What came, of each mapping only the names that the expected value has."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return {name: select_named(value, actual[name]) for name, value in expected.items() if name in actual}
    if isinstance(expected, list) and isinstance(actual, list) and expected:
        examples = [*expected, *[expected[-1]] * len(actual)]
        return [select_named(example, element) for example, element in zip(examples, actual, strict=False)]
    return actual


def block_yaml(value: Any, indent: int) -> str:
    """A value as YAML over several lines; the first is put at a place that is already indented."""
    line_break = "\n" + " " * indent
    if isinstance(value, list) and value:
        return line_break.join("- " + _list_element(element, indent + 2) for element in value)
    if isinstance(value, dict) and value:
        return line_break.join(_mapping_entry(name, member, indent) for name, member in value.items())
    return flow_yaml(value)


def _list_element(value: Any, indent: int) -> str:
    line = flow_yaml(value)
    return line if indent + len(line) <= LINE_WIDTH else block_yaml(value, indent)


def _mapping_entry(name: str, value: Any, indent: int) -> str:
    name = flow_yaml(name)
    line = f"{name}: {flow_yaml(value)}"
    if indent + len(line) <= LINE_WIDTH or not isinstance(value, (dict, list)):
        return line
    return f"{name}:\n{' ' * (indent + 2)}{block_yaml(value, indent + 2)}"
