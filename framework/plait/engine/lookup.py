"""Keyed look-ups: the distinct keys of a batch, asked once, in chunks; answers are cached for as long as `cache` says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from plait.engine.answers import (
    Answers,
    KeyPairs,
    KeyValues,
    RecordsOrTable,
    concat_answers,
    key_of,
    key_pairs,
    raw_keys,
    select_keys,
    type_answers,
)
from plait.engine.cache import Cache
from plait.plugin import Key, Record, RecordTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.engine.context import Services
    from plait.language.spec import Source, Spec
    from plait.plugin import Lookup
    from plait.values.types import Type

TimeSpan = tuple[int, int]  # microseconds since 1970, both ends included
SpanEnd = TypeVar("SpanEnd", int, datetime)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MICROSECOND = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LAST_MICROSECOND = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND


class LookupStats(Struct):
    """The keys that a batch asked of one lookup, those answered from the cache, and the age of the oldest such answer."""

    keys: int = 0
    cached: int = 0
    cached_seconds: float = 0.0


class OpenLookups:
    """The look-ups of a spec, each opened when it is first asked, with the caches of their answers."""

    def __init__(self, spec: Spec, services: Services) -> None:
        self.services = services
        self.opened: dict[str, Lookup[Any]] = {}
        self.caches = {s.name: Cache(s.cache.total_seconds()) for s in spec.lookups if s.cache}

    def open(self, source: Source) -> Lookup[Any]:
        """Return the look-up of a source, opened once."""
        if source.name not in self.opened:
            context = self.services.context(source.name, source.fields)
            self.opened[source.name] = source.open_lookup(context)
        return self.opened[source.name]

    def ask(self, source: Source, table: Any, column_types: dict[str, Type]) -> tuple[Answers, LookupStats]:
        """Ask a source for the rows of a batch; raises what the connector raises."""
        with self.services.on_behalf_of(source.name):
            cache = self.caches.get(source.name)
            return look_up(source, self.open(source), table, column_types, cache, self._seconds)

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
) -> tuple[Answers, LookupStats]:
    """Ask a lookup for the rows of a batch; raises what the connector raises."""
    pairs = key_pairs(source)
    key_types = [column_types[column] for column, _ in pairs]
    keys = distinct_keys(table, source)
    stats = LookupStats(keys=len(keys))
    records, uncached = _take_cached(keys, cache, now(), stats)
    size = lookup.keys_per_call or max(len(uncached), 1)
    if cache is None and len(uncached) <= size:
        return _ask_at_once(source, lookup, uncached, pairs, key_types), stats
    remaining, misses = iter(uncached.items()), set[KeyValues]()
    while chunk := list(islice(remaining, size)):
        fetched = [*_single_records(lookup.fetch([key for _, key in chunk]))]
        owners = [key_of(record.fields, pairs, key_types) for record in fetched]
        answered = _group_by_key(chunk, zip(owners, fetched, strict=True))
        records += [record for group in answered.values() for record in group]
        misses |= _near_misses_of(chunk, owners, fetched)
        if cache:
            _keep(cache, source, answered, now())
    answers = type_answers(source, records, pairs, key_types)
    answers.near_misses = misses
    return answers, stats


def distinct_keys(table: Any, source: Source) -> dict[KeyValues, Key]:
    """The distinct keys of a batch's rows; a row with a null in its key asks nothing."""
    pairs = key_pairs(source)
    columns = [table.column(column).to_pylist() for column, _ in pairs]
    window = source.window
    if window is None:
        distinct = dict.fromkeys(zip(*columns, strict=True))
        return {values: Key(fields=_key_fields(pairs, values)) for values in distinct if None not in values}
    centres = table.column(window.column).combine_chunks().view("int64").to_pylist()
    before, after = (duration // MICROSECOND for duration in (window.before, window.after))
    spans_of: dict[KeyValues, list[TimeSpan]] = {}
    for values, centre in zip(zip(*columns, strict=True), centres, strict=True):
        if centre is not None and None not in values:
            span = max(FIRST_MICROSECOND, centre - before), min(LAST_MICROSECOND, centre + after)
            spans_of.setdefault(values, []).append(span)
    return {
        (*values, *moments): Key(fields=_key_fields(pairs, values), since=moments[0], until=moments[1])
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


def _key_fields(pairs: KeyPairs, values: Iterable[Any]) -> dict[str, Any]:
    return {field: value for (_, field), value in zip(pairs, values, strict=True)}


def _ask_at_once(
    source: Source,
    lookup: Lookup[Any],
    keys: dict[KeyValues, Key],
    pairs: KeyPairs,
    key_types: Sequence[Type],
) -> Answers:
    """Ask for all keys in one call, without keeping an answer."""
    parts = _parts(lookup.fetch([*keys.values()]) if keys else ())
    answers = concat_answers([type_answers(source, part, pairs, key_types) for part in parts])
    asked = {tuple(key.fields.values()) for key in keys.values()}
    owners = [*zip(*(column.to_pylist() for column in answers.keys), strict=True)]
    answered = {*owners}
    missed = asked - answered - {*answers.faults}
    answers.near_misses = _near_misses(missed, chain.from_iterable(raw_keys(part, pairs) for part in parts))
    return answers if answered <= asked else select_keys(answers, asked, owners)


def _single_records(fetched: Iterable[Record | RecordTable]) -> Iterator[Record]:
    for answer in fetched:
        yield from answer.records() if isinstance(answer, RecordTable) else (answer,)


def _parts(fetched: Iterable[Record | RecordTable]) -> list[RecordsOrTable]:
    """The single records together, and each table of records."""
    records: list[Record] = []
    tables: list[RecordsOrTable] = []
    for answer in fetched:
        (tables if isinstance(answer, RecordTable) else records).append(answer)  # type: ignore[arg-type]
    return [records, *tables] if records or not tables else tables


def _take_cached(
    keys: dict[KeyValues, Key], cache: Cache | None, now: float, stats: LookupStats
) -> tuple[list[Record], dict[KeyValues, Key]]:
    """Return the cached records of the keys, and the keys that are not cached; count the cached ones in `stats`."""
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
        stats.cached += 1
        stats.cached_seconds = max(stats.cached_seconds, now - entry.since)
    return records, uncached


def _group_by_key(
    chunk: Sequence[tuple[KeyValues, Key]], owned: Iterable[tuple[KeyValues, Record]]
) -> dict[KeyValues, list[Record]]:
    """The records of each key that was asked; records of other keys are ignored."""
    by_owner: dict[KeyValues, list[Record]] = {}
    for owner, record in owned:
        by_owner.setdefault(owner, []).append(record)
    return {
        values: [r for r in by_owner.get(values[: len(key.fields)], ()) if key.covers(r.time)]
        for values, key in chunk
    }


def _near_misses_of(
    chunk: Sequence[tuple[KeyValues, Key]], owners: Sequence[KeyValues], fetched: Sequence[Record]
) -> set[KeyValues]:
    """Keys without a match for which the source answered a similar key."""
    missed = {tuple(key.fields.values()) for _, key in chunk} - set(owners)
    names = [*chunk[0][1].fields]
    return _near_misses(missed, (tuple(map(r.fields.get, names)) for r in fetched))


def _near_misses(missed: set[KeyValues], answered: Iterable[KeyValues]) -> set[KeyValues]:
    if not missed:
        return set()
    from plait.engine.near_misses import near_misses

    return near_misses(missed, answered)


def _keep(cache: Cache, source: Source, answered: dict[KeyValues, list[Record]], now: float) -> None:
    """Cache answers by key, but not a miss while objects wait for its match."""
    waits = source.join is not None and source.join.missing == "retry"
    for values, records in answered.items():
        if records or not waits:
            cache.put(values, now, records)
