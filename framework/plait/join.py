"""Index joins: for each row the positions of its matches, then `take`; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any

from plait.api import BadRecord
from plait.lookup import Answers, earlier, key_columns, later
from plait.problems import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from plait.lookup import KeyValues
    from plait.spec import Source


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
    duplicates: int = 0


def join(rows: Rows, answers: Answers, source: Source) -> Joined:
    """Join the answers of a lookup to the rows, as the spec's `join` says."""
    result = Joined(rows)
    left: list[int] = []
    right: list[list[int]] = []
    for number, (key, matches, bad, asks) in enumerate(_matches(rows, answers, source)):
        record = rows.record[number]
        try:
            _blame(bad, matches, answers, source)
            chosen = _choose(key, matches, source, result, may_come=asks)
            chosen = [_latest(matches, answers)] if chosen and _is_latest(source) else chosen
        except BadRecord as error:
            result.bad.setdefault(record, error)
            continue
        if chosen is None:
            if not (source.join and source.join.missing == "retry"):
                continue
            result.retry.setdefault(record, _required(key, source))
            chosen = []
        left.append(number)
        right.append(chosen)
    result.rows = _assemble(rows, answers, source, left, right)
    if result.bad:
        result.rows = without(result.rows, set(result.bad))
    return result


def without(rows: Rows, records: set[int]) -> Rows:
    """The rows of all other records."""
    kept = [n for n, record in enumerate(rows.record) if record not in records]
    if len(kept) == len(rows.record):
        return rows
    return Rows(take(rows.table, kept), [rows.record[n] for n in kept])


def take(table: Any, positions: list[int]) -> Any:
    """The rows of a table at these positions."""
    import pyarrow as pa

    return table.take(pa.array(positions, type=pa.int64()))


Bad = list[tuple["datetime | None", BadRecord]]


def _matches(
    rows: Rows, answers: Answers, source: Source
) -> Iterator[tuple[KeyValues, list[int], Bad, bool]]:
    """Each row's key, its matches, the bad records among them, and whether it asks for anything."""
    at: dict[KeyValues, list[int]] = {}
    for number, key in enumerate(answers.keys):
        at.setdefault(key, []).append(number)
    columns = [rows.table.column(name).to_pylist() for name, _ in key_columns(source)]
    around = source.window
    centres: Any = rows.table.column(around.column).to_pylist() if around else repeat(None)
    for *values, centre in zip(*columns, centres, strict=False):
        key = tuple(values)
        found = [] if None in key else at.get(key, [])
        bad = answers.faults.get(key, [])
        if around:
            near = _Near(centre, around.before, around.after)
            found = [n for n in found if near.has(answers.times[n])]
            bad = [one for one in bad if near.has(one[0])]
        yield key, found, bad, None not in key and (around is None or centre is not None)


class _Near:
    """The stretch of time of one row."""

    def __init__(self, centre: datetime | None, before: Any, after: Any) -> None:
        self.bounds = None if centre is None else (earlier(centre, before), later(centre, after))

    def has(self, time: datetime | None) -> bool:
        return self.bounds is not None and time is not None and self.bounds[0] <= time <= self.bounds[1]


def _is_latest(source: Source) -> bool:
    rule = source.join
    return rule is not None and rule.shape == "columns" and rule.duplicates == "latest"


def _blame(bad: Bad, matches: list[int], answers: Answers, source: Source) -> None:
    """Raise for a bad record that a row would take; one that a later record outdates is not taken."""
    if not bad:
        return
    if not _is_latest(source) or not matches:
        raise bad[-1][1]
    latest = answers.times[_latest(matches, answers)]
    newer = [error for time, error in bad if time and latest and time >= latest]
    if newer:
        raise newer[-1]


def _choose(
    key: KeyValues, matches: list[int], source: Source, result: Joined, *, may_come: bool
) -> list[int] | None:
    """The matches that a row takes; None drops the row or asks again; raises BadRecord."""
    rule = source.join
    assert rule is not None  # noqa: S101 - only look-ups come here
    if not matches:
        result.missing += 1
        if rule.missing == "drop" or (rule.missing == "retry" and may_come):
            return None
        if rule.missing == "fail":
            raise _no_match(key, source, "`missing: keep` lets such rows through")
        if bad := _required(key, source):
            raise bad
        return []
    result.matched += 1
    if len(matches) > 1 and rule.shape == "columns":
        result.duplicates += 1
        if rule.duplicates == "fail":
            why = f"`{source.name}` has {len(matches)} matches for {_show(key)}"
            help = "choose by `duplicates`, or take all by `as: list` or `as: rows`"
            raise BadRecord(why, code="several-matches", help=help)
        return matches if rule.duplicates == "latest" else matches[:1]
    return matches


def _required(key: KeyValues, source: Source) -> BadRecord | None:
    """Why a row without a match is bad: a column of the source is required."""
    listed = source.join is not None and source.join.shape == "list"
    name = next((c.name for c in source.columns or () if c.required and not listed), None)
    return _no_match(key, source, f"column `{name}` is required") if name else None


def _no_match(key: KeyValues, source: Source, help: str) -> BadRecord:
    return BadRecord(f"`{source.name}` has no match for {_show(key)}", code="no-match", help=help)


def _latest(matches: list[int], answers: Answers) -> int:
    return max(matches, key=lambda n: (answers.times[n], n))


def _show(key: KeyValues) -> str:
    return ", ".join(excerpt(str(value)) for value in key)


def _assemble(rows: Rows, answers: Answers, source: Source, left: list[int], right: list[list[int]]) -> Rows:
    if source.join and source.join.shape == "list":
        table = take(rows.table, left) if len(left) < len(rows.record) else rows.table
        table = table.append_column(source.name, _lists(answers, source, right))
        return Rows(table, [rows.record[n] for n in left])
    take_left: list[int] = []
    take_right: list[int | None] = []
    for number, matches in zip(left, right, strict=True):
        take_left += [number] * max(len(matches), 1)
        take_right += matches or [None]
    table = take(rows.table, take_left) if take_left != list(range(len(rows.record))) else rows.table
    for name, column in _taken(answers, source, take_right):
        table = table.append_column(name, column)
    return Rows(table, [rows.record[n] for n in take_left])


def _taken(answers: Answers, source: Source, positions: list[int | None]) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa

    index = pa.array(positions, type=pa.int64())
    defaults = {c.name: c.default for c in source.columns or () if c.default is not None}
    for field_ in answers.table.schema:
        column = answers.table.column(field_.name).combine_chunks().take(index)
        if field_.name in defaults and column.null_count:
            column = column.fill_null(pa.scalar(defaults[field_.name], type=field_.type))
        yield field_.name, column


def _lists(answers: Answers, source: Source, right: list[list[int]]) -> Any:
    import pyarrow as pa

    table = answers.table
    element = pa.struct(list(table.schema))
    rank = _ranks(table) if source.connector.order == "none" else None
    offsets, positions = [0], []
    for matches in right:
        positions += sorted(matches, key=rank.__getitem__) if rank else matches
        offsets.append(len(positions))
    arrays = [
        table.column(f.name).combine_chunks().take(pa.array(positions, type=pa.int64())) for f in element
    ]
    values = pa.nulls(len(positions))
    if arrays:
        values = pa.StructArray.from_arrays(arrays, fields=list(element))
    return pa.ListArray.from_arrays(pa.array(offsets, type=pa.int32()), values)


def _ranks(table: Any) -> dict[int, int]:
    rows = [
        tuple((v is not None, repr(v) if isinstance(v, (list, dict)) else v) for v in row.values())
        for row in table.to_pylist()
    ]
    return {n: rank for rank, n in enumerate(sorted(range(len(rows)), key=rows.__getitem__))}
