"""Index joins: for each row the positions of its matches, then `take`; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from plait.engine.answers import Answers, bad_record_of, key_pairs
from plait.engine.match import Matches, is_near, matches, take, take_rows, within
from plait.plugin import BadRecord
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from plait.engine.answers import KeyValues
    from plait.language.spec import Source

NONE: list[int | None] = [None]
MOST_ROWS = 1_000_000


@dataclass(slots=True)
class Rows:
    """A batch underway: row n of `table` belongs to driving record `record[n]`."""

    table: Any
    record: list[int]


@dataclass(slots=True)
class Joined:
    """The rows after a join, and the records that it took out, each with why; the counts of the join.

    `retry` has the records without a match that may come, and why they are bad once the wait is over.
    """

    rows: Rows
    bad: dict[int, BadRecord] = field(default_factory=dict)
    retry: dict[int, BadRecord | None] = field(default_factory=dict)
    matched: int = 0
    missing: int = 0
    inexact: int = 0
    duplicates: int = 0


def join(rows: Rows, answers: Answers, source: Source) -> Joined:
    """Join the answers of a lookup to the rows, as the spec's `join` says.

    Only rows that meet a bad record, that have no match where one is needed, or too many, are looked at one by one.
    """
    result = Joined(rows)
    found = matches([rows.table.column(name) for name, _ in key_pairs(source)], answers.keys)
    if source.window:
        found = within(found, rows.table.column(source.window.column), answers.times, source.window)
    _count(result, found.counts, source)
    if answers.near_misses:
        keys = zip(_keys(rows, source), found.counts, strict=True)
        result.inexact = sum(not count and key in answers.near_misses for key, count in keys)
    odd = _odd(rows, answers, source, found.counts)
    out = {number for number in odd if _taken_out(number, found.of(number), answers, source, result)}
    out |= _crowded(result, found.counts, source)
    if out:
        kept = [n for n in range(len(rows.record)) if n not in out]
        rows, found = _rows_at(rows, kept), found.at(kept)
    result.rows = _assemble(rows, answers, source, found)
    if result.bad:
        result.rows = without(result.rows, set(result.bad))
    return result


def without(rows: Rows, records: set[int]) -> Rows:
    """The rows of all other records."""
    kept = [n for n, record in enumerate(rows.record) if record not in records]
    if len(kept) == len(rows.record):
        return rows
    return _rows_at(rows, kept)


Bad = list[tuple["datetime | None", BadRecord]]


def _rows_at(rows: Rows, positions: list[int]) -> Rows:
    return Rows(take_rows(rows.table, positions), [rows.record[n] for n in positions])


def _count(result: Joined, counts: list[int], source: Source) -> None:
    result.missing = counts.count(0)
    result.matched = len(counts) - result.missing
    if source.join and source.join.shape == "columns":
        result.duplicates = sum(count > 1 for count in counts)


def _crowded(result: Joined, counts: list[int], source: Source) -> set[int]:
    """The rows of records that would become too many rows; the result is told why."""
    record = result.rows.record
    if not source.join or source.join.shape != "rows" or sum(counts) + len(counts) <= MOST_ROWS:
        return set()
    totals: Counter[int] = Counter()
    for number, count in zip(record, counts, strict=True):
        totals[number] += max(count, 1)
    many = {number for number, total in totals.items() if total > MOST_ROWS}
    for number in many:
        why = f"`{source.name}` would make more than {MOST_ROWS:,} rows of one record"
        error = bad_record_of(source, why, code="too-many-rows", help="take the matches by `as: list`")
        result.bad.setdefault(number, error)
    return {n for n, number in enumerate(record) if number in many}


def _keys(rows: Rows, source: Source) -> Iterator[KeyValues]:
    return zip(*(rows.table.column(name).to_pylist() for name, _ in key_pairs(source)), strict=True)


def _odd(rows: Rows, answers: Answers, source: Source, counts: list[int]) -> list[int]:
    """The rows that the rules of the join have a word about, in order."""
    rule = source.join
    assert rule is not None  # noqa: S101 - only look-ups come here
    least = 1 if rule.missing != "keep" or _required((), source) else 0
    most = 1 if rule.shape == "columns" and rule.duplicates == "fail" else len(answers.times)
    odd = {number for number, count in enumerate(counts) if not least <= count <= most}
    if answers.faults:
        odd.update(number for number, key in enumerate(_keys(rows, source)) if key in answers.faults)
    return sorted(odd)


def _taken_out(number: int, mine: list[int], answers: Answers, source: Source, result: Joined) -> bool:
    """Whether a row goes, and why, which the result is told."""
    rows = result.rows
    key = tuple(rows.table.column(name)[number].as_py() for name, _ in key_pairs(source))
    around = source.window
    centre = rows.table.column(around.column)[number].as_py() if around else None
    bad = answers.faults.get(key, [])
    if around:
        bad = [one for one in bad if is_near(centre, one[0], around)]
    if bad_record_ofd := _blamed(bad, mine, answers, source):
        _uncount(result, len(mine), source)
        result.bad.setdefault(rows.record[number], bad_record_ofd)
        return True
    asks = None not in key and (around is None or centre is not None)
    try:
        stays = _stays(key, len(mine), source, may_come=asks)
    except BadRecord as error:
        result.bad.setdefault(rows.record[number], error)
        return True
    if not stays and source.join and source.join.missing == "retry":
        result.retry.setdefault(rows.record[number], _required(key, source))
        return False
    return not stays


def _uncount(result: Joined, matched: int, source: Source) -> None:
    """A row that meets a bad record counts neither as matched nor as missing."""
    result.missing -= not matched
    result.matched -= bool(matched)
    result.duplicates -= matched > 1 and source.join is not None and source.join.shape == "columns"


def _is_latest(source: Source) -> bool:
    rule = source.join
    return rule is not None and rule.shape == "columns" and rule.duplicates == "latest"


def _blamed(bad: Bad, found: list[int], answers: Answers, source: Source) -> BadRecord | None:
    """The bad record that a row would take, if any; one that a later record outdates is not taken."""
    if not bad:
        return None
    if not _is_latest(source) or not found:
        return bad[-1][1]
    latest = answers.times[_latest(found, answers)]
    newer = [error for time, error in bad if time and latest and time >= latest]
    return newer[-1] if newer else None


def _stays(key: KeyValues, found: int, source: Source, *, may_come: bool) -> bool:
    """Whether a row of so many matches stays in; raises BadRecord."""
    rule = source.join
    assert rule is not None  # noqa: S101 - only look-ups come here
    if found > 1 and rule.shape == "columns" and rule.duplicates == "fail":
        why = f"`{source.name}` has {found} matches for"
        help = "choose by `duplicates`, or take all by `as: list` or `as: rows`"
        raise _of_key(why, key, source, "several-matches", help)
    if found:
        return True
    if rule.missing == "drop" or (rule.missing == "retry" and may_come):
        return False
    if rule.missing == "fail":
        raise _no_match(key, source, "`missing: keep` lets such rows through")
    if bad := _required(key, source):
        raise bad
    return True


def _required(key: KeyValues, source: Source) -> BadRecord | None:
    """Why a row without a match is bad: a column of the source is required."""
    listed = source.join is not None and source.join.shape == "list"
    name = next((c.name for c in source.columns or () if c.required and not listed), None)
    return _no_match(key, source, f"column `{name}` is required") if name else None


def _no_match(key: KeyValues, source: Source, help: str) -> BadRecord:
    return _of_key(f"`{source.name}` has no match for", key, source, "no-match", help)


def _of_key(why: str, key: KeyValues, source: Source, code: str, help: str) -> BadRecord:
    shown = ", ".join(excerpt(str(value)) for value in key)
    return bad_record_of(source, f"{why} {shown}", code=code, help=help, bare=f"{why} the row's key")


def _latest(matches: list[int], answers: Answers) -> int:
    return max(matches, key=lambda n: (answers.times[n], n))


def _assemble(rows: Rows, answers: Answers, source: Source, found: Matches) -> Rows:
    """The rows with the columns of their matches."""
    if source.join and source.join.shape == "list":
        return Rows(rows.table.append_column(source.name, _lists(answers, source, found)), rows.record)
    positions = found.firsts()
    several = [number for number, count in enumerate(found.counts) if count > 1]
    if several and source.join and source.join.shape == "rows":
        rows = _rows_at(rows, [n for n, count in enumerate(found.counts) for _ in range(count or 1)])
        positions = [one for matches in _ordered(answers, source, found) for one in matches or NONE]
    elif _is_latest(source):
        for number in several:
            positions[number] = _latest(found.of(number), answers)
    table = rows.table
    for name, column in _taken(answers, source, positions):
        table = table.append_column(name, column)
    return Rows(table, rows.record)


def _taken(answers: Answers, source: Source, positions: list[int | None]) -> Iterator[tuple[str, Any]]:
    defaults = {c.name: c.default for c in source.columns or ()}
    for name in answers.table.column_names:
        yield name, take(answers.table.column(name), positions, defaults.get(name))


def _ordered(answers: Answers, source: Source, found: Matches) -> Iterator[list[int]]:
    """The matches of each row, in an order that no server's mood decides."""
    matches = (found.of(n) for n in range(len(found.counts)))
    if source.connector.order != "none":
        return matches
    rank = _ranks(answers.table)
    return (sorted(one, key=rank.__getitem__) for one in matches)


def _lists(answers: Answers, source: Source, found: Matches) -> Any:
    import pyarrow as pa

    table, positions = answers.table, found.positions
    if source.connector.order == "none":
        positions = [*chain(*_ordered(answers, source, found))]
    arrays = [take(table.column(name), positions) for name in table.column_names]
    values = pa.nulls(len(positions))
    if arrays:
        values = pa.StructArray.from_arrays(arrays, fields=list(table.schema))
    return pa.ListArray.from_arrays(pa.array(found.starts, type=pa.int32()), values)


def _ranks(table: Any) -> dict[int, int]:
    rows = [
        tuple((v is not None, repr(v) if isinstance(v, (list, dict)) else v) for v in row.values())
        for row in table.to_pylist()
    ]
    return {n: rank for rank, n in enumerate(sorted(range(len(rows)), key=rows.__getitem__))}
