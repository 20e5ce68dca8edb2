"""Pair what is expected with what came, and find where two of a pair differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.language.source_map import KeyPath

Row = Mapping[str, Any]


class Whole(dict[str, Any]):
    """What a case expects of a map: all its keys and no others."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place within a row, as steps of names and indexes, with the value expected there and the value it has."""

    steps: KeyPath
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of expected and actual rows by number, and the numbers of either side that are in no pair."""

    pairs: dict[int, int]
    missing: list[int]
    extra: list[int]


def different_cells(expected: Any, actual: Any, steps: KeyPath = ()) -> Iterator[Difference]:
    """The cells in which two values differ; of a struct only the expected names are compared."""
    if isinstance(expected, Whole) and isinstance(actual, Mapping) and expected.keys() != actual.keys():
        yield Difference(steps, expected, actual)
    elif isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            yield from different_cells(value, actual[name], (*steps, name))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (expected_element, actual_element) in enumerate(zip(expected, actual, strict=True)):
            yield from different_cells(expected_element, actual_element, (*steps, index))
    elif expected != actual:
        yield Difference(steps, expected, actual)


def different_texts(expected: Row, actual: Row) -> Iterator[Difference]:
    """The texts in which two failures differ: the code is equal, message and help a part, the object an end."""
    for name, text in expected.items():
        other = actual[name]
        if not {"code": text == other, "object": other.endswith(text)}.get(name, text in other):
            yield Difference((name,), text, other)


def pair(
    expected: Sequence[Row], actual: Sequence[Row], differences: Callable[[Row, Row], Iterable[Difference]]
) -> Pairs:
    """Pair rows in any order: first as many as agree, then those that differ in the fewest cells.

    Rows that have no cell in common are paired only if they are the last ones left.
    """
    cells = [[[*differences(row, other)] for other in actual] for row in expected]
    pairs = _pair_equal([[n for n, differing in enumerate(row) if not differing] for row in cells])
    near = sorted(
        (len(differing), number, other_number)
        for number, row in enumerate(cells)
        for other_number, differing in enumerate(row)
        if len({difference.steps[0] for difference in differing}) < len(expected[number])
    )
    taken = {*pairs.values()}
    for _, number, other_number in near:
        if number not in pairs and other_number not in taken:
            pairs[number] = other_number
            taken.add(other_number)
    missing = [number for number in range(len(expected)) if number not in pairs]
    extra = [number for number in range(len(actual)) if number not in taken]
    if len(missing) == len(extra) == 1:
        return Pairs({**pairs, missing[0]: extra[0]}, [], [])
    return Pairs(dict(sorted(pairs.items())), missing, extra)


def _pair_equal(equal: Sequence[Sequence[int]]) -> dict[int, int]:
    """Pair as many rows as possible, each with one of those that it equals; others move to make room for it."""
    owners: dict[int, int] = {}

    def place(row: int, tried: set[int]) -> bool:
        free = [other for other in equal[row] if other not in owners]
        for other in free[:1] or equal[row]:
            if other not in tried:
                tried.add(other)
                if other not in owners or place(owners[other], tried):
                    owners[other] = row
                    return True
        return False

    for row in range(len(equal)):
        place(row, set())
    return {row: other for other, row in owners.items()}
