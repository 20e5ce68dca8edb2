"""Keyed look-ups: the distinct keys of a batch, asked once, in chunks; answers are cached for as long as `cache` says."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from plait.engine.answers import (
    Answers,
    KeyFields,
    KeyValues,
    RecordsOrTable,
    concat_answers,
    key_of,
    key_pairs,
    near_misses,
    raw_keys,
    select_keys,
    type_answers,
)
from plait.engine.cache import Cache
from plait.engine.counts import LookupCounts, SourceCounts
from plait.engine.read import cast
from plait.engine.rows import EPOCH, MICROSECOND, microseconds
from plait.plugin import Key, KeyFailed, Record, RecordTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plait.engine.context import Services
    from plait.language.spec import Source, Spec
    from plait.plugin import Lookup
    from plait.values.types import Type

TimeSpan = tuple[int, int]  # microseconds since 1970, both ends included
SpanEnd = TypeVar("SpanEnd", int, datetime)
FIRST_MICROSECOND = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LAST_MICROSECOND = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND


class OpenLookups:
    """The look-ups of a spec, each opened when it is first asked, with the caches of their answers."""

    def __init__(self, spec: Spec, services: Services) -> None:
        self.services = services
        self.opened: dict[str, Lookup[Any]] = {}
        self.caches = {s.name: Cache(s.cache.total_seconds()) for s in spec.lookups if s.cache}

    def open(self, source: Source) -> Lookup[Any]:
        """Return the look-up of a source, opened once."""
        if source.name not in self.opened:
            context = self.services.context(source.name, source.fields, source.body_fields)
            self.opened[source.name] = source.open_lookup(context)
        return self.opened[source.name]

    def ask(self, source: Source, table: Any, column_types: dict[str, Type]) -> tuple[Answers, LookupCounts]:
        """Ask a source for the rows of a batch; raises what the connector raises."""
        with self.services.on_behalf_of(source.name):
            cache = self.caches.get(source.name)
            answers, counts = look_up(source, self.open(source), table, column_types, cache, self._seconds)
            lines = self.services.take_lines(source.name)
            counts.lines, counts.unread = lines["lines"], lines["unread"]
            return answers, counts

    def _seconds(self) -> float:
        """The time that caches measure age by, in seconds; it goes on while a process sleeps between invocations."""
        return self.services.now().timestamp()


def look_up(
    source: Source,
    lookup: Lookup[Any],
    table: Any,
    column_types: dict[str, Type],
    cache: Cache | None = None,
    now: Callable[[], float] = lambda: 0.0,
) -> tuple[Answers, LookupCounts]:
    """Ask a lookup for the rows of a batch; raises what the connector raises."""
    key_fields = [(field, column_types[column]) for column, field in key_pairs(source)]
    keys = distinct_keys(table, source)
    counts = LookupCounts(keys=len(keys))
    cached, uncached = _take_cached(keys, cache, now(), counts)
    answers = [] if uncached and not cached else [type_answers(source, cached, key_fields)]
    remaining = iter(uncached.items())
    while chunk := dict(islice(remaining, lookup.keys_per_call or len(uncached))):
        counts.fetches += 1
        parts = _parts(lookup.fetch([*chunk.values()]))
        by_time = source.window is not None and len(chunk) < len(keys)
        answers.append(_answers_of(source, chunk, parts, key_fields, counts, by_time=by_time))
        if cache:
            _keep(cache, source, _group_by_key(chunk, parts, key_fields), now())
    counts.keys_matched = counts.keys - counts.keys_missed
    return concat_answers(answers), counts


def distinct_keys(table: Any, source: Source) -> dict[KeyValues, Key]:
    """The distinct keys of a batch's rows; a row with a null in its key asks nothing."""
    pairs = key_pairs(source)
    columns = [table.column(column).to_pylist() for column, _ in pairs]
    names = [field for _, field in pairs]
    window = source.window
    if window is None:
        distinct = dict.fromkeys(zip(*columns, strict=True))
        return {
            values: Key(fields=dict(zip(names, values, strict=True)))
            for values in distinct
            if None not in values
        }
    centres = microseconds(table.column(window.column))
    before, after = (duration // MICROSECOND for duration in (window.before, window.after))
    spans_of: dict[KeyValues, list[TimeSpan]] = {}
    for values, centre in zip(zip(*columns, strict=True), centres, strict=True):
        if centre is not None and None not in values:
            span = max(FIRST_MICROSECOND, centre - before), min(LAST_MICROSECOND, centre + after)
            spans_of.setdefault(values, []).append(span)
    return {
        (*values, *moments): Key(
            fields=dict(zip(names, values, strict=True)), since=moments[0], until=moments[1]
        )
        for values, spans in spans_of.items()
        for moments in map(_moments, merge_spans(spans) if len(spans) > 1 else spans)
    }


def _moments(span: TimeSpan) -> tuple[datetime, datetime]:
    return EPOCH + span[0] * MICROSECOND, EPOCH + span[1] * MICROSECOND


def merge_spans(spans: Iterable[tuple[SpanEnd, SpanEnd]]) -> list[tuple[SpanEnd, SpanEnd]]:
    """Merge spans that overlap, so that no record lies within two of them."""
    merged: list[tuple[SpanEnd, SpanEnd]] = []
    for since, until in sorted(spans):
        if merged and since <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(until, merged[-1][1])
        else:
            merged.append((since, until))
    return merged


def _answers_of(
    source: Source,
    chunk: dict[KeyValues, Key],
    parts: Sequence[RecordsOrTable],
    key_fields: KeyFields,
    counts: LookupCounts,
    *,
    by_time: bool,
) -> Answers:
    """The answers to the keys of a chunk, typed; records of other keys only show which keys look alike.

    Where other chunks ask for other times of a key, only the records of the chunk's own times are taken.
    """
    answers = concat_answers([type_answers(source, part, key_fields) for part in parts])
    asked: dict[KeyValues, Sequence[Key]] = {}
    for values, key in chunk.items():
        owner = values[: len(key_fields)]
        asked[owner] = (*asked[owner], key) if owner in asked else (key,)
    owners = [*zip(*(column.to_pylist() for column in answers.keys), strict=True)]
    if missed := asked.keys() - {*owners} - answers.faults.keys():
        names = [name for name, _ in key_fields]
        raw = chain.from_iterable(raw_keys(part, names) for part in parts)
        answers.near_misses = near_misses(missed, raw)
    number = _count_missed(asked, owners, answers) if source.window else len(missed)
    counts.add_misses(number, answers.near_misses)
    selected = select_keys(answers, owners, asked, by_time=by_time)
    if len(selected.times) < len(owners) or not answers.faults.keys() <= asked.keys():
        selected.counts = _count_asked(source, parts, key_fields, asked, by_time=by_time)
    if selected.counts.names:
        selected.counts.key = next((asked[owner][0] for owner in owners if owner in asked), None)
    return selected


def _count_missed(
    asked: Mapping[KeyValues, Sequence[Key]], owners: Sequence[KeyValues], answers: Answers
) -> int:
    """Count the keys without a record in their time."""
    faults = ((owner, time) for owner, faults in answers.faults.items() for time, _ in faults)
    answered = {
        (owner, key.since)
        for owner, time in chain(zip(owners, answers.times, strict=True), faults)
        for key in asked.get(owner, ())
        if key.covers(time)
    }
    return sum(map(len, asked.values())) - len(answered)


def _count_asked(
    source: Source,
    parts: Iterable[RecordsOrTable],
    key_fields: KeyFields,
    asked: Mapping[KeyValues, Sequence[Key]],
    *,
    by_time: bool,
) -> SourceCounts:
    """Count the records of the keys asked alone, where a source gave others too."""
    records = chain.from_iterable(p.records() if isinstance(p, RecordTable) else p for p in parts)
    owned = ((record, asked.get(key_of(record.fields, key_fields), ())) for record in records)
    wanted = [r for r, keys in owned if any(not by_time or key.covers(r.time) for key in keys)]
    return cast(wanted, source).counts


def _parts(fetched: Iterable[Record | RecordTable]) -> list[RecordsOrTable]:
    """The single records together, and each table of records."""
    records: list[Record] = []
    tables: list[RecordsOrTable] = []
    for answer in fetched:
        (tables if isinstance(answer, RecordTable) else records).append(answer)  # type: ignore[arg-type]
    return [records, *tables] if records or not tables else tables


def _take_cached(
    keys: dict[KeyValues, Key], cache: Cache | None, now: float, counts: LookupCounts
) -> tuple[list[Record], dict[KeyValues, Key]]:
    """Return the cached records of the keys, and the keys that are not cached; count the cached ones in `counts`."""
    if cache is None:
        return [], keys
    records: list[Record] = []
    uncached = {}
    for values, key in keys.items():
        entry = cache.get(values, now)
        if entry is None:
            uncached[values] = key
            continue
        records += entry.records
        counts.cached += 1
        counts.keys_missed += not entry.records
        counts.cached_seconds = max(counts.cached_seconds, now - entry.since)
    return records, uncached


def _group_by_key(
    chunk: dict[KeyValues, Key], parts: Sequence[RecordsOrTable], key_fields: KeyFields
) -> dict[KeyValues, list[Record]]:
    """The records of each key that was asked; records of other keys are ignored."""
    by_owner: dict[KeyValues, list[Record]] = {}
    for record in chain.from_iterable(p.records() if isinstance(p, RecordTable) else p for p in parts):
        by_owner.setdefault(key_of(record.fields, key_fields), []).append(record)
    return {
        values: [r for r in by_owner.get(values[: len(key.fields)], ()) if key.covers(r.time)]
        for values, key in chunk.items()
    }


def _keep(cache: Cache, source: Source, answered: dict[KeyValues, list[Record]], now: float) -> None:
    """Cache answers by key, but not a failure, and not a miss while objects wait for its match."""
    waits = source.join is not None and source.join.missing == "retry"
    for values, records in answered.items():
        if (records or not waits) and not any(isinstance(r.fault, KeyFailed) for r in records):
            cache.put(values, now, records)
