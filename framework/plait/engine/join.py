"""Index joins: for each row the positions of its matches, then `take`; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from plait.engine.answers import Answers, bad_record_of, key_pairs
from plait.engine.rows import (
    Rows,
    assemble,
    is_near,
    latest,
    match_keys,
    rows_at,
    takes_latest,
    within,
    without,
)
from plait.plugin import BadRecord
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from plait.engine.answers import KeyValues
    from plait.engine.rows import Matches
    from plait.language.spec import Source

MOST_ROWS = 1_000_000
Faults = list[tuple["datetime | None", BadRecord]]
Fate = Literal[
    "stays", "leaves", "waits", "bad", "faulty"
]  # faulty: a match is bad, so the row is not counted


class Joined(Struct):
    """The rows after a join, the records that it removed, each with the reason, and the counts of the join.

    `bad` and `retry` are by record number. `retry` has the records whose match may still come, and why they are
    bad once the wait is over.
    """

    rows: Rows
    bad: dict[int, BadRecord] = field(default_factory=dict)
    retry: dict[int, BadRecord | None] = field(default_factory=dict)
    matched: int = 0
    missing: int = 0
    duplicates: int = 0


def join(rows: Rows, answers: Answers, source: Source) -> Joined:
    """Join the answers of a lookup to the rows, as the spec's `join` says.

    Only three kinds of rows are checked one by one: those that match a bad record, those that lack a match they need,
    and those with too many matches.
    """
    result = Joined(rows)
    matches = matches_of(rows.table, answers, source)
    counts = [*map(len, matches)]
    faulty, taken_out = set[int](), set[int]()
    for row in _rows_to_check(rows, answers, source, counts):
        fate, error = _fate(row, matches[row], rows, answers, source)
        if fate == "waits":
            result.retry.setdefault(rows.record_numbers[row], error)
        elif fate != "stays":
            taken_out.add(row)
            if error:
                result.bad.setdefault(rows.record_numbers[row], error)
            if fate == "faulty":
                faulty.add(row)
    taken_out |= _crowded(result, counts, source)
    good = [count for row, count in enumerate(counts) if row not in faulty] if faulty else counts
    _count(result, good, source)
    if taken_out:
        remaining_rows = [row for row in range(len(rows.record_numbers)) if row not in taken_out]
        rows, matches = rows_at(rows, remaining_rows), [matches[row] for row in remaining_rows]
    result.rows = assemble(rows, answers, source, matches)
    if result.bad:
        result.rows = without(result.rows, set(result.bad))
    return result


def matches_of(table: Any, answers: Answers, source: Source) -> Matches:
    """For each row of a table the positions of the answers that match it, by key and by time."""
    matches = match_keys([table.column(name) for name, _ in key_pairs(source)], answers.keys)
    if source.window:
        matches = within(matches, table.column(source.window.column), answers.times, source.window)
    return matches


def _count(result: Joined, counts: list[int], source: Source) -> None:
    result.missing = counts.count(0)
    result.matched = len(counts) - result.missing
    if source.join and source.join.shape == "columns":
        result.duplicates = result.matched - counts.count(1)


def _crowded(result: Joined, counts: list[int], source: Source) -> set[int]:
    """Mark records whose join exceeds the row limit as bad; return their row positions."""
    record_numbers = result.rows.record_numbers
    if not source.join or source.join.shape != "rows" or sum(counts) + len(counts) <= MOST_ROWS:
        return set()
    totals: Counter[int] = Counter()
    for number, count in zip(record_numbers, counts, strict=True):
        totals[number] += max(count, 1)
    crowded = {number for number, total in totals.items() if total > MOST_ROWS}
    for number in crowded:
        why = f"`{source.name}` would make more than {MOST_ROWS:,} rows of one record"
        error = bad_record_of(source, why, code="too-many-rows", help="take the matches by `as: list`")
        result.bad.setdefault(number, error)
    return {row for row, number in enumerate(record_numbers) if number in crowded}


def _keys(rows: Rows, source: Source) -> Iterator[KeyValues]:
    return zip(*(rows.table.column(name).to_pylist() for name, _ in key_pairs(source)), strict=True)


def _rows_to_check(rows: Rows, answers: Answers, source: Source, counts: list[int]) -> list[int]:
    """Return the positions of rows that a rule of the join may remove, in order."""
    rule = source.join
    assert rule is not None  # noqa: S101 - only look-ups come here
    least = 1 if rule.missing != "keep" or _error_of_required((), source) else 0
    most = 1 if rule.shape == "columns" and rule.duplicates == "fail" else len(answers.times)
    positions = {row for row, count in enumerate(counts) if not least <= count <= most}
    if answers.faults:
        positions.update(row for row, key in enumerate(_keys(rows, source)) if key in answers.faults)
    return sorted(positions)


def _fate(
    row: int, positions: Sequence[int], rows: Rows, answers: Answers, source: Source
) -> tuple[Fate, BadRecord | None]:
    """What the rules of the join make of a row, and why its record is bad, now or once its wait is over."""
    rule, window = source.join, source.window
    assert rule is not None  # noqa: S101 - only look-ups come here
    key = tuple(rows.table.column(name)[row].as_py() for name, _ in key_pairs(source))
    centre = rows.table.column(window.column)[row].as_py() if window else None
    faults = answers.faults.get(key, [])
    if window:
        faults = [(time, error) for time, error in faults if is_near(centre, time, window)]
    if fault := _fault_taken(faults, positions, answers, source):
        return "faulty", fault
    if len(positions) > 1 and rule.shape == "columns" and rule.duplicates == "fail":
        why = f"`{source.name}` has {len(positions)} matches for"
        help = "choose by `duplicates`, or take all by `as: list` or `as: rows`"
        return "bad", _error_of_key(why, key, source, "several-matches", help)
    if positions:
        return "stays", None
    if rule.missing == "retry" and None not in key and (window is None or centre is not None):
        return "waits", _error_of_required(key, source)
    if rule.missing == "drop":
        return "leaves", None
    error = _error_of_required(key, source)
    if rule.missing == "fail":
        error = _error_of_no_match(key, source, "`missing: keep` lets such rows through")
    return ("bad", error) if error else ("stays", None)


def _fault_taken(
    faults: Faults, positions: Sequence[int], answers: Answers, source: Source
) -> BadRecord | None:
    """Return the bad record among a row's matches; under `latest`, ignore one that a newer match replaces."""
    if not faults:
        return None
    if not takes_latest(source) or not positions:
        return faults[-1][1]
    last = answers.times[latest(positions, answers.times)]
    newer = [error for time, error in faults if time and last and time >= last]
    return newer[-1] if newer else None


def _error_of_required(key: KeyValues, source: Source) -> BadRecord | None:
    """Why a row without a match is bad: a column of the source is required."""
    is_list = source.join is not None and source.join.shape == "list"
    name = next((c.name for c in source.columns or () if c.required and not is_list), None)
    return _error_of_no_match(key, source, f"column `{name}` is required") if name else None


def _error_of_no_match(key: KeyValues, source: Source, help: str) -> BadRecord:
    return _error_of_key(f"`{source.name}` has no match for", key, source, "no-match", help)


def _error_of_key(why: str, key: KeyValues, source: Source, code: str, help: str) -> BadRecord:
    shown = ", ".join(excerpt(str(value)) for value in key)
    return bad_record_of(source, f"{why} {shown}", code=code, help=help, bare=f"{why} the row's key")
