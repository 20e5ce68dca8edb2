"""What came of failing cases put into their file as what is expected, with all else left as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.testing.cases.case import COUNTS, OUTCOMES, Finding
from plait.testing.cases.compare import ABSENT, cells, findings_match, match
from plait.testing.cases.yaml_text import flow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.testing.cases.case import Case, Outcomes
    from plait.testing.cases.yaml_text import Places

WIDTH = 100
EMPTY_VALUE = re.compile(r"[ \t]*:[ \t]*(?=\r?\n|\Z)")


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Text to put between two offsets."""

    begin: int
    end: int
    text: str


def rewrite(places: Places, played: Iterable[tuple[Case, Outcomes]]) -> str:
    """The text of the file in which each of these cases expects what came."""
    text = places.source_map.text
    newline = "\r\n" if "\r\n" in text else "\n"
    edits = [edit for case, got in played for edit in _edits(places, case, got)]
    for edit in sorted(edits, reverse=True):
        text = text[: edit.begin] + edit.text.replace("\n", newline) + text[edit.end :]
    return text


def _edits(places: Places, case: Case, got: Outcomes) -> list[Edit]:
    if _only_rows_differ(case, got) and (edits := _cell_edits(places, case, got)) is not None:
        return edits
    return [_expect_edit(places, case, got)]


def _only_rows_differ(case: Case, got: Outcomes) -> bool:
    expected = case.expect
    settled = all(not any(findings_match(expected.findings[w], got.findings[w])[1:]) for w in OUTCOMES)
    return settled and expected.counts == got.counts


def _cell_edits(places: Places, case: Case, got: Outcomes) -> list[Edit] | None:
    """An edit for each cell that differs; None where rows are too many or too few, or a cell has no place."""
    matched = match(case.expect.rows, got.rows)
    if matched.missing or matched.extra:
        return None
    edits = []
    for left, right in matched.pairs.items():
        for cell in cells(case.expect.rows[left], got.rows[right]):
            span = places.source_map.value_spans.get((*case.rows_path, left, *cell.steps))
            if cell.got is ABSENT or span is None or span.line != span.end_line:
                return None
            edits.append(Edit(*places.range(span), flow(named(cell.expected, cell.got))))
    return edits


def _expect_edit(places: Places, case: Case, got: Outcomes) -> Edit:
    path = (*case.path, "expect")
    source_map = places.source_map
    key, span = source_map.key_spans[path], source_map.value_spans[path]
    begin, end = places.range(span)
    old = source_map.text[begin:end].rstrip()
    end = begin + len(old)
    if empty := EMPTY_VALUE.match(source_map.text, end):
        end = empty.end()
    value = _expectation(case, got)
    if span.line == key.line or old[0] in "[{":
        return Edit(begin, end, flow(value))
    indent = max(span.column - 1, key.column + 1)
    return Edit(begin, end, " " * (indent - span.column + 1) + block(value, indent))


def _expectation(case: Case, got: Outcomes) -> Any:
    """What came, in the form and with the columns that the case names."""
    findings = {word: _findings(case.expect.findings[word], got.findings[word]) for word in OUTCOMES}
    told: dict[str, Any] = {word: found for word, found in findings.items() if found}
    told |= {word: got.counts[word] for word in COUNTS if got.counts[word]}
    rows = _rows(case.expect.rows, got.rows)
    if not told:
        return rows if case.rows_path == (*case.path, "expect") or not rows else {"rows": rows}
    return {"rows": rows, **told} if rows else told


def _rows(expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]) -> list[Any]:
    matched = match(expected, got)
    columns = list(dict.fromkeys(name for row in expected for name in row))
    kept = [named(expected[left], got[right]) for left, right in sorted(matched.pairs.items())]
    more = [{name: got[n].get(name) for name in columns or got[n] if name in got[n]} for n in matched.extra]
    return kept + more


def _findings(expected: Sequence[Finding], got: Sequence[Finding]) -> list[Any]:
    """The findings that came: those expected in their own words, the others by their code."""
    pairs, _, extra = findings_match(expected, got)
    kept = [_finding(expected[left]) for left, _ in sorted(pairs.items())]
    return kept + [got[n].code for n in extra]


def _finding(one: Finding) -> Any:
    known = {"code": one.code, "message": one.message, "object": one.object}
    said = {name: text for name, text in known.items() if text is not None}
    return one.code if [*said] == ["code"] else said


def named(expected: Any, got: Any) -> Any:
    """What came, of each mapping only the names that are expected."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return {name: named(one, got[name]) for name, one in expected.items() if name in got}
    if isinstance(expected, list) and isinstance(got, list) and expected:
        like = [*expected, *[expected[-1]] * len(got)]
        return [named(one, other) for one, other in zip(like, got, strict=False)]
    return got


def block(value: Any, indent: int) -> str:
    """A value over several lines, the first of which already stands at its place."""
    start = "\n" + " " * indent
    if isinstance(value, list) and value:
        return start.join("- " + _item(one, indent + 2) for one in value)
    if isinstance(value, dict) and value:
        return start.join(_entry(name, one, indent) for name, one in value.items())
    return flow(value)


def _item(value: Any, indent: int) -> str:
    line = flow(value)
    return line if indent + len(line) <= WIDTH else block(value, indent)


def _entry(name: str, value: Any, indent: int) -> str:
    name = flow(name)
    line = f"{name}: {flow(value)}"
    if indent + len(line) <= WIDTH or not isinstance(value, (dict, list)):
        return line
    return f"{name}:\n{' ' * (indent + 2)}{block(value, indent + 2)}"
