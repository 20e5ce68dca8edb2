"""Pair expected rows and findings with those that came, and find the cells in which two rows differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.language.source_map import KeyPath
    from plait.testing.cases.case import Finding

Row = Mapping[str, Any]
ABSENT = object()
"""The value of a column that a row does not have."""


@dataclass(frozen=True, slots=True)
class CellDifference:
    """A place within a row, as steps of names and indexes, with the value expected there and the value it has."""

    steps: KeyPath
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of expected and actual rows or findings by number, and the numbers of either side that are in no pair."""

    pairs: dict[int, int]
    missing: list[int]
    extra: list[int]


def different_cells(expected: Any, actual: Any, steps: KeyPath = ()) -> Iterator[CellDifference]:
    """The cells in which two values differ; of a mapping only the expected names are compared."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            yield from different_cells(value, actual.get(name, ABSENT), (*steps, name))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (expected_element, actual_element) in enumerate(zip(expected, actual, strict=True)):
            yield from different_cells(expected_element, actual_element, (*steps, index))
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield CellDifference(steps, expected, actual)


def pair_rows(expected: Sequence[Row], actual: Sequence[Row]) -> Pairs:
    """Pair rows in any order: first all that agree, then those that differ in the fewest cells.

    Rows that have no cell in common are paired only if they are the last ones left.
    """
    differences = [[[*different_cells(row, other)] for other in actual] for row in expected]
    pairs = _pair_equal([[len(cells) for cells in row] for row in differences], len(actual))
    taken = set(pairs.values())
    for _, expected_number, actual_number in sorted(_candidates(expected, differences)):
        if expected_number not in pairs and actual_number not in taken:
            pairs[expected_number] = actual_number
            taken.add(actual_number)
    missing, extra = _unpaired(pairs, len(expected), len(actual))
    if len(missing) == len(extra) == 1:
        return Pairs({**pairs, missing[0]: extra[0]}, [], [])
    return Pairs(pairs, missing, extra)


def pair_findings(expected: Sequence[Finding], actual: Sequence[Finding]) -> Pairs:
    """Pair findings in any order, those that agree with each other."""
    costs = [[int(not _agrees(finding, other)) for other in actual] for finding in expected]
    pairs = _pair_equal(costs, len(actual))
    missing, extra = _unpaired(pairs, len(expected), len(actual))
    return Pairs(pairs, missing, extra)


def _unpaired(pairs: Mapping[int, int], expected: int, actual: int) -> tuple[list[int], list[int]]:
    """The numbers below `expected` and below `actual` that are in no pair."""
    taken = set(pairs.values())
    return [n for n in range(expected) if n not in pairs], [n for n in range(actual) if n not in taken]


def _candidates(
    expected: Sequence[Row], differences: list[list[list[CellDifference]]]
) -> Iterator[tuple[int, int, int]]:
    """Pairs of rows that agree in at least one column, each with the number of cells that differ."""
    for expected_number, row in enumerate(differences):
        for actual_number, cells in enumerate(row):
            if len({cell.steps[0] for cell in cells}) < len(expected[expected_number]):
                yield len(cells), expected_number, actual_number


def _pair_equal(costs: list[list[int]], width: int) -> dict[int, int]:
    """Find as many pairs of cost zero as possible, by augmenting paths of bipartite matching."""
    pairs: dict[int, int] = {}
    owner: dict[int, int] = {}
    for unpaired_row in range(len(costs)):
        reached_from: dict[int, int] = {}
        waiting = [unpaired_row]
        free = None
        while waiting and free is None:
            row = waiting.pop(0)
            equal = [
                column for column in range(width) if costs[row][column] == 0 and column not in reached_from
            ]
            reached_from.update(dict.fromkeys(equal, row))
            free = next((column for column in equal if column not in owner), None)
            waiting += [owner[column] for column in equal if column in owner]
        while free is not None:
            row = reached_from[free]
            owner[free] = row
            pairs[row], free = free, pairs.get(row)
    return dict(sorted(pairs.items()))


def _agrees(expected: Finding, actual: Finding) -> bool:
    return (
        expected.code in (None, actual.code)
        and (expected.message or "") in (actual.message or "")
        and (actual.object or "").endswith(expected.object or "")
    )
