"""Rewrite what failing cases expect in their file, and leave everything else of it as it is."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS
from plait.testing.cases.matching import different_cells, different_texts, pair
from plait.testing.cases.yaml_writer import block_yaml, flow_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.language.source_map import SourceMap
    from plait.testing.cases.case import Case, Outcome


def rewrite(source_map: SourceMap, results: Iterable[tuple[Case, Outcome]]) -> str:
    """The text of the file in which each of these cases expects what it gave."""
    lines = StringIO(source_map.text, newline="").readlines()
    newline = "\r\n" if "\r\n" in source_map.text else "\n"
    for case, outcome in sorted(
        results, key=lambda result: source_map.key_span(result[0].path), reverse=True
    ):
        span = source_map.value_spans[*case.path, "expect"]
        before, after = (
            lines[span.line - 1][: span.column - 1],
            lines[span.end_line - 1][span.end_column - 1 :],
        )
        expectation = _expectation(case, outcome)
        if lines[span.line - 1][span.column - 1] in "[{":
            text = before + flow_yaml(expectation) + after
        else:  # whole lines
            column = source_map.key_spans[*case.path, "expect"].column
            text = block_yaml(expectation, column + 1).replace("\n", newline) + newline
        lines[span.line - 1 : span.end_line] = [text]
    return "".join(lines)


def _expectation(case: Case, outcome: Outcome) -> Any:
    """What came, in the form and with the columns that the case uses."""
    rows = _rows(case.expected["rows"], outcome["rows"])
    others: dict[str, Any] = {
        kind: _failures(case.expected[kind], outcome[kind]) for kind in FAILURE_KINDS if outcome[kind]
    }
    others |= {name: outcome[name] for name in COUNT_NAMES if outcome[name]}
    if others:
        return {"rows": rows, **others} if rows else others
    return rows if case.rows_path[-1] == "expect" or not rows else {"rows": rows}


def _rows(expected: list[dict[str, Any]], actual: list[dict[str, Any]]) -> list[Any]:
    """The rows that came, those that were expected in their old order and with the columns that they name."""
    paired = pair(expected, actual, different_cells)
    columns = list(dict.fromkeys(name for row in expected for name in row))
    old = [_named(expected[number], actual[other]) for number, other in sorted(paired.pairs.items())]
    new = [
        {name: actual[n][name] for name in columns or actual[n] if name in actual[n]} for n in paired.extra
    ]
    return old + new


def _failures(expected: list[dict[str, str]], actual: list[dict[str, str]]) -> list[Any]:
    """The failures that came: those that were expected as they were written, the others by their code."""
    paired = pair(expected, actual, different_texts)
    failures = []
    for number, other in sorted(paired.pairs.items()):
        agrees = not [*different_texts(expected[number], actual[other])]
        failures.append(expected[number] if agrees else {"code": actual[other]["code"]})
    failures += [{"code": actual[n]["code"]} for n in paired.extra]
    return [failure["code"] if [*failure] == ["code"] else failure for failure in failures]


def _named(expected: Any, actual: Any) -> Any:
    """What came, of each mapping only the names that the expected value has."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return {name: _named(value, actual[name]) for name, value in expected.items() if name in actual}
    if isinstance(expected, list) and isinstance(actual, list) and expected:
        examples = [*expected, *[expected[-1]] * len(actual)]
        return [_named(example, element) for example, element in zip(examples, actual, strict=False)]
    return actual
