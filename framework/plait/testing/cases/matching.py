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
    got: Any


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of expected and actual rows or findings by number, and the numbers that are left over on each side."""

    pairs: dict[int, int]
    missing: list[int]
    extra: list[int]


def different_cells(expected: Any, got: Any, steps: KeyPath = ()) -> Iterator[CellDifference]:
    """The cells in which two values differ; of a mapping only the expected names are compared."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for name, value in expected.items():
            yield from different_cells(value, got.get(name, ABSENT), (*steps, name))
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for index, (left, right) in enumerate(zip(expected, got, strict=True)):
            yield from different_cells(left, right, (*steps, index))
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        yield CellDifference(steps, expected, got)


def pair_rows(expected: Sequence[Row], got: Sequence[Row]) -> Pairs:
    """Pair rows in any order: first all that agree, then those that differ in the fewest cells.

    Rows that have no cell in common are paired only if they are the last ones left.
    """
    differences = [[[*different_cells(row, other)] for other in got] for row in expected]
    pairs = _pair_equal([[len(cells) for cells in row] for row in differences], len(got))
    taken = set(pairs.values())
    for _, left, right in sorted(_candidates(expected, differences)):
        if left not in pairs and right not in taken:
            pairs[left] = right
            taken.add(right)
    missing, extra = _left_over(pairs, len(expected), len(got))
    if len(missing) == len(extra) == 1:
        return Pairs({**pairs, missing[0]: extra[0]}, [], [])
    return Pairs(pairs, missing, extra)


def pair_findings(expected: Sequence[Finding], got: Sequence[Finding]) -> Pairs:
    """Pair findings in any order, those that agree with each other."""
    pairs = _pair_equal([[int(not _agrees(left, right)) for right in got] for left in expected], len(got))
    missing, extra = _left_over(pairs, len(expected), len(got))
    return Pairs(pairs, missing, extra)


def _left_over(pairs: Mapping[int, int], expected: int, got: int) -> tuple[list[int], list[int]]:
    """The numbers below `expected` and below `got` that are in no pair."""
    taken = set(pairs.values())
    return [n for n in range(expected) if n not in pairs], [n for n in range(got) if n not in taken]


def _candidates(
    expected: Sequence[Row], differences: list[list[list[CellDifference]]]
) -> Iterator[tuple[int, int, int]]:
    """Pairs of rows that agree in at least one column, each with the number of cells that differ."""
    for left, row in enumerate(differences):
        for right, cells in enumerate(row):
            if len({cell.steps[0] for cell in cells}) < len(expected[left]):
                yield len(cells), left, right


def _pair_equal(costs: list[list[int]], width: int) -> dict[int, int]:
    """Find as many pairs of cost zero as possible, by augmenting paths of bipartite matching."""
    pairs: dict[int, int] = {}
    owner: dict[int, int] = {}
    for left in range(len(costs)):
        reached_from: dict[int, int] = {}
        waiting = [left]
        free = None
        while waiting and free is None:
            row = waiting.pop(0)
            equal = [right for right in range(width) if costs[row][right] == 0 and right not in reached_from]
            reached_from.update(dict.fromkeys(equal, row))
            free = next((right for right in equal if right not in owner), None)
            waiting += [owner[right] for right in equal if right in owner]
        while free is not None:
            row = reached_from[free]
            owner[free] = row
            pairs[row], free = free, pairs.get(row)
    return dict(sorted(pairs.items()))


def _agrees(expected: Finding, got: Finding) -> bool:
    return (
        expected.code in (None, got.code)
        and (expected.message or "") in (got.message or "")
        and (got.object or "").endswith(expected.object or "")
    )
