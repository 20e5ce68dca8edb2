"""Compare what a run of a case gave with what the case expects, and find each difference at its place."""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.language.yaml_writer import flow_yaml
from plait.testing.cases.case import COUNT_NAMES, FAILURE_KINDS
from plait.testing.cases.matching import different_cells, different_texts, pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plait.testing.cases.case import Case, Outcome
    from plait.testing.cases.matching import Difference

VALUE_LENGTH, ROW_LENGTH = 40, 100


def compare(case: Case, outcome: Outcome) -> Iterator[Finding]:
    """Every difference at its place in the file of cases; none means that the case holds."""
    yield from _compare_rows(case, outcome["rows"])
    for kind in FAILURE_KINDS:
        yield from _compare_failures(case, kind, outcome[kind])
    for name in COUNT_NAMES:
        if case.expected[name] != outcome[name]:
            message = f"{name}: expected {case.expected[name]}, got {outcome[name]}"
            yield Finding((*case.path, "expect", name), message, code="different-count")


def _compare_rows(case: Case, actual: list[dict[str, Any]]) -> Iterator[Finding]:
    expected, path = case.expected["rows"], case.rows_path
    paired = pair(expected, actual, different_cells)
    for number, actual_number in paired.pairs.items():
        for cell in different_cells(expected[number], actual[actual_number]):
            message, note = _cell_texts(cell)
            message = f"row {number + 1}, column {show_steps(cell.steps)}: {message}"
            yield Finding((*path, number, *cell.steps), message, note=note, code="different-cell")
    for number in paired.missing:
        message = f"row {number + 1} is missing: {_shorten(flow_yaml(expected[number]), ROW_LENGTH)}"
        yield Finding((*path, number), message, code="missing-row")
    columns = list(dict.fromkeys(name for row in expected for name in row))
    for actual_number in paired.extra:
        row = {name: actual[actual_number][name] for name in columns or actual[actual_number]}
        message = f"a row came that is not expected: {_shorten(flow_yaml(row), ROW_LENGTH)}"
        yield Finding(path, message, code="unexpected-row")


def _cell_texts(cell: Difference) -> tuple[str, str | None]:
    """The message of a cell that differs, and a note with the elements that a list has."""
    if isinstance(cell.expected, list) and isinstance(cell.actual, list):
        note = f"got {_shorten(flow_yaml(cell.actual), ROW_LENGTH)}"
        return f"expected {len(cell.expected)} elements, got {len(cell.actual)}", note
    return "expected {}, got {}".format(*show_pair(cell.expected, cell.actual)), None


def _compare_failures(case: Case, kind: str, actual: list[dict[str, str]]) -> Iterator[Finding]:
    expected, path = case.expected[kind], (*case.path, "expect", kind)
    paired = pair(expected, actual, different_texts)
    partners = {**paired.pairs, **dict.fromkeys(paired.missing)}
    for number, actual_number in sorted(partners.items()):
        failure = None if actual_number is None else actual[actual_number]
        if failure is None or [*different_texts(expected[number], failure)]:
            shown = show_failure(failure) if failure else "none"
            message = f"{kind} {number + 1}: expected {show_failure(expected[number])}, got {shown}"
            yield Finding((*path, number), message, code=f"different-{kind}")
    for actual_number in paired.extra:
        message = f"{kind}: expected none, got {show_failure(actual[actual_number])}"
        yield Finding(path, message, code=f"unexpected-{kind}")


def show_failure(failure: Mapping[str, str]) -> str:
    """A failure as messages show it: its code, the end of its object's address, and its message."""
    code = f"`{failure['code']}`" if "code" in failure else ""
    name = failure.get("object", "").rsplit("/", 1)[-1]
    subject = f"{code} of `{name[-VALUE_LENGTH:]}`" if name else code
    message = _shorten(failure.get("message", ""), 2 * VALUE_LENGTH)
    return ": ".join(part for part in (subject.strip(), message) if part) or "any"


def show_steps(steps: Iterable[str | int]) -> str:
    """A place in a row as a spec spells it: `items[0].sku`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return f"`{text.removeprefix('.')}`"


def show_pair(expected: Any, actual: Any) -> tuple[str, str]:
    """Two values as a file of cases has them, shown from shortly before the first difference if they are long."""
    texts = [flow_yaml(value) for value in (expected, actual)]
    equal = len(commonprefix(texts))  # noqa: RUF071 - by characters
    skip = max(0, equal - VALUE_LENGTH // 2) if max(map(len, texts)) > VALUE_LENGTH else 0
    shown = [("…" if skip else "") + _shorten(text[skip:], VALUE_LENGTH) for text in texts]
    return shown[0], shown[1]


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"
