"""What came of a case against what was expected: rows matched, and the differences down to the cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

from plait.problems.problem import Problem
from plait.testing.cases.case import COUNTS, OUTCOMES, Finding
from plait.testing.cases.yaml_text import flow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plait.language.source_map import KeyPath
    from plait.testing.cases.case import Case, Outcomes
    from plait.testing.cases.yaml_text import Places

SHOWN, SHOWN_ROW = 40, 100
Row = Mapping[str, Any]
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Cell:
    """A place within a row where what came is another than what was expected."""

    steps: KeyPath
    expected: Any
    got: Any


@dataclass(frozen=True, slots=True)
class Matched:
    """Pairs of expected and actual rows by number, and those that are left over."""

    pairs: dict[int, int]
    missing: list[int]
    extra: list[int]


def cells(expected: Any, got: Any, steps: KeyPath = ()) -> Iterator[Cell]:
    """The cells that differ; of a mapping only what is expected is compared."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for name, one in expected.items():
            yield from cells(one, got.get(name, ABSENT), (*steps, name))
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for n, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from cells(one, other, (*steps, n))
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        yield Cell(steps, expected, got)


def match(expected: Sequence[Row], got: Sequence[Row]) -> Matched:
    """Pair rows in whatever order they came: all that agree, then those that differ in the fewest cells.

    Rows that have nothing in common are a pair only where no other rows are left.
    """
    differing = [[[*cells(row, other)] for other in got] for row in expected]
    pairs = _agreeing([[len(found) for found in row] for row in differing], len(got))
    taken = set(pairs.values())
    for _, left, right in sorted(_alike(expected, differing)):
        if left not in pairs and right not in taken:
            pairs[left] = right
            taken.add(right)
    missing = [n for n in range(len(expected)) if n not in pairs]
    extra = [n for n in range(len(got)) if n not in taken]
    if len(missing) == len(extra) == 1:
        return Matched({**pairs, missing[0]: extra[0]}, [], [])
    return Matched(pairs, missing, extra)


def _alike(expected: Sequence[Row], differing: list[list[list[Cell]]]) -> Iterator[tuple[int, int, int]]:
    """The pairs with a column in common, each with the number of cells that differ."""
    for left, row in enumerate(differing):
        for right, found in enumerate(row):
            if len({cell.steps[0] for cell in found}) < len(expected[left]):
                yield len(found), left, right


def _agreeing(costs: list[list[int]], width: int) -> dict[int, int]:
    """As many pairs without a difference as there can be, by augmenting paths."""
    pairs: dict[int, int] = {}
    owner: dict[int, int] = {}
    for left in range(len(costs)):
        reached: dict[int, int] = {}
        waiting = [left]
        free = None
        while waiting and free is None:
            one = waiting.pop(0)
            fits = [right for right in range(width) if costs[one][right] == 0 and right not in reached]
            reached.update(dict.fromkeys(fits, one))
            free = next((right for right in fits if right not in owner), None)
            waiting += [owner[right] for right in fits if right in owner]
        while free is not None:
            one = reached[free]
            owner[free] = one
            pairs[one], free = free, pairs.get(one)
    return dict(sorted(pairs.items()))


def judge(case: Case, got: Outcomes, places: Places) -> list[Problem]:
    """Every difference, at its place in the file of cases; none means that the case holds."""
    judging = _Judging(case, places)
    return [*judging.rows(got), *judging.findings(got), *judging.counts(got)]


@dataclass(frozen=True, slots=True)
class _Judging:
    case: Case
    places: Places

    def rows(self, got: Outcomes) -> Iterator[Problem]:
        expected, path = self.case.expect.rows, self.case.rows_path
        matched = match(expected, got.rows)
        for left, right in matched.pairs.items():
            for cell in cells(expected[left], got.rows[right]):
                yield self._cell(left, cell)
        for left in matched.missing:
            yield self._told(
                "missing-row", f"row {left + 1} is missing: {show_row(expected[left])}", (*path, left)
            )
        named = list(dict.fromkeys(name for row in expected for name in row))
        for right in matched.extra:
            row = got.rows[right]
            shown = show_row({name: row.get(name) for name in named or row})
            yield self._told("unexpected-row", f"a row came that is not expected: {shown}", path)

    def _cell(self, row: int, cell: Cell) -> Problem:
        where = f"row {row + 1}, column {place_of(cell.steps)}"
        at = (*self.case.rows_path, row, *cell.steps)
        if cell.got is ABSENT:
            return self._told("different-cell", f"{where}: there is no such column", at)
        if isinstance(cell.expected, list) and isinstance(cell.got, list):
            lengths = f"expected {len(cell.expected)} elements, got {len(cell.got)}"
            return self._told("different-cell", f"{where}: {lengths}", at, note=f"got {show_row(cell.got)}")
        expected, found = show_pair(cell.expected, cell.got)
        return self._told("different-cell", f"{where}: expected {expected}, got {found}", at)

    def findings(self, got: Outcomes) -> Iterator[Problem]:
        for word in OUTCOMES:
            expected, found = self.case.expect.findings[word], got.findings[word]
            at = (*self.case.path, "expect", word)
            _, missing, extra = findings_match(expected, found)
            for left, right in zip_longest(missing, extra):
                yield self._finding(word, expected, left, None if right is None else found[right], at)

    def _finding(
        self, word: str, expected: Sequence[Finding], number: int | None, got: Finding | None, at: KeyPath
    ) -> Problem:
        came = show_finding(got) if got else "none"
        if number is None:
            return self._told(f"unexpected-{word}", f"{WORDS[word]}: {came}", at)
        message = f"{word} {number + 1}: expected {show_finding(expected[number])}, got {came}"
        return self._told(f"different-{word}", message, (*at, number))

    def counts(self, got: Outcomes) -> Iterator[Problem]:
        for word in COUNTS:
            expected, found = self.case.expect.counts[word], got.counts[word]
            if expected != found:
                message = f"{word}: expected {expected}, got {found}"
                yield self._told("different-count", message, (*self.case.path, "expect", word))

    def _told(self, code: str, message: str, at: KeyPath, note: str | None = None) -> Problem:
        source_map = self.places.source_map
        message = f"case `{self.case.name[:60]}`: {message}"
        return Problem(
            code=code, message=message, file=source_map.file, span=source_map.value_span(at), note=note
        )


WORDS = {
    "quarantine": "a record is bad that should not be",
    "retry": "an object must come again that should be done",
    "failed": "an object failed that should be done",
}


def show_finding(finding: Finding) -> str:
    """A finding as messages show it: its code, its message, and the end of its object's address."""
    code = finding.code and f"`{finding.code}`"
    where = finding.object and f"of `{finding.object.rsplit('/', 1)[-1][-SHOWN:]}`"
    what = " ".join(part for part in (code, where) if part)
    return ": ".join(part for part in (what, _shortened(finding.message or "", limit=80)) if part) or "any"


def _fits(expected: Finding, got: Finding) -> bool:
    return (
        expected.code in (None, got.code)
        and (expected.message or "") in (got.message or "")
        and (got.object or "").endswith(expected.object or "")
    )


def findings_match(
    expected: Sequence[Finding], got: Sequence[Finding]
) -> tuple[dict[int, int], list[int], list[int]]:
    """Pairs of findings by number, and the numbers that are left over on both sides."""
    pairs = _agreeing([[int(not _fits(one, other)) for other in got] for one in expected], len(got))
    taken = set(pairs.values())
    missing = [n for n in range(len(expected)) if n not in pairs]
    return pairs, missing, [n for n in range(len(got)) if n not in taken]


def place_of(steps: Iterable[str | int]) -> str:
    """A place in a row as a spec spells it: `items[0].sku`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return f"`{text.removeprefix('.')}`"


def show(value: Any) -> str:
    """A value as messages show it, text in quotes."""
    if isinstance(value, str):
        return f'"{value}"'
    return flow(value).strip('"') if isinstance(value, (bytes, date, datetime)) else flow(value)


def show_pair(expected: Any, got: Any) -> tuple[str, str]:
    """Two values, both shortened to where they part if they are long."""
    one, other = show(expected), show(got)
    if type(expected) is not type(got) and one == other:
        return f"{one} ({type(expected).__name__})", f"{other} ({type(got).__name__})"
    same = sum(1 for _ in _while_equal(one, other))
    skip = max(0, same - SHOWN // 2) if max(len(one), len(other)) > SHOWN else 0
    return _shortened(one, skip), _shortened(other, skip)


def _while_equal(one: str, other: str) -> Iterator[str]:
    for a, b in zip(one, other, strict=False):
        if a != b:
            return
        yield a


def _shortened(text: str, skip: int = 0, limit: int = SHOWN) -> str:
    shown = text[skip : skip + limit]
    return ("…" if skip else "") + shown + ("…" if skip + limit < len(text) else "")


def show_row(value: Any) -> str:
    """A row, or the elements of a list, as far as it is short."""
    if isinstance(value, Mapping):
        parts = [f"{name}: {_shortened(show(one))}" for name, one in islice(value.items(), 12)]
        return "{" + _shortened(", ".join(parts), limit=SHOWN_ROW) + "}"
    return (
        "[" + _shortened(", ".join(_shortened(flow(one), limit=60) for one in value), limit=SHOWN_ROW) + "]"
    )
