"""Rewrite what failing cases expect in their file, and leave everything else of it as it is."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from plait.language.yaml_writer import block_yaml, flow_yaml
from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS
from plait.testing.cases.matching import Whole, different_cells, different_texts, pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.language.source_map import SourceMap
    from plait.testing.cases.case import Case, Outcome


def rewrite(source_map: SourceMap, results: Sequence[tuple[Case, Outcome]]) -> str:
    """The text of the file in which each of these cases, which are in its order, expects what it gave."""
    lines = StringIO(source_map.text, newline="").readlines()
    newline = "\r\n" if "\r\n" in source_map.text else "\n"
    for case, outcome in reversed(results):
        span = source_map.value_spans[*case.path, "expect"]
        first, last = lines[span.line - 1], lines[span.end_line - 1]
        if first[span.column - 1] in "[{":
            flow = flow_yaml(_expectation(case, outcome))
            text = first[: span.column - 1] + flow + last[span.end_column - 1 :]
        else:  # whole lines
            indent = source_map.key_spans[*case.path, "expect"].column + 1
            text = block_yaml(_expectation(case, outcome), indent).replace("\n", newline) + newline
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
    new = [{name: actual[n][name] for name in columns or actual[n]} for n in paired.extra]
    return old + new


def _failures(expected: list[dict[str, str]], actual: list[dict[str, str]]) -> list[Any]:
    """The failures that came: those that were expected as they were written, the others by their code."""
    failures = []
    for failure in actual:
        written = (other for other in expected if not [*different_texts(other, failure)])
        failures.append(next(written, {"code": failure["code"]}))
    return [failure["code"] if [*failure] == ["code"] else failure for failure in failures]


def _named(expected: Any, actual: Any) -> Any:
    """What came, of each struct only the names that the expected value has."""
    if isinstance(expected, Whole) and isinstance(actual, Mapping):
        return {key: _named(expected.get(key), value) for key, value in actual.items()}
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return {name: _named(value, actual[name]) for name, value in expected.items()}
    if isinstance(expected, list) and isinstance(actual, list) and expected:
        examples = [*expected, *[expected[-1]] * len(actual)]
        return [_named(example, element) for example, element in zip(examples, actual, strict=False)]
    return actual
