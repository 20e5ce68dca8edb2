"""Keyed look-ups: the distinct keys of a batch, asked once, in chunks; answers are cached for as long as `cache` says."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from plait.engine.answers import (
    Answers,
    KeyFields,
    KeyValues,
    RecordsOrTable,
    concat_answers,
    distinct_owners,
    key_of,
    key_pairs,
    near_misses,
    owners_of,
    raw_keys,
    select_keys,
    type_answers,
)
from plait.engine.cache import Cache, group_by_key, keep, take_cached
from plait.engine.counts import LookupCounts, SourceCounts
from plait.engine.read import cast
from plait.engine.rows import MICROSECOND, TimeSpan, merge_spans, microseconds, moment
from plait.plugin import Key, Record, RecordTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plait.engine.context import Services
    from plait.language.spec import Source, Spec
    from plait.plugin import Lookup
    from plait.values.types import Type

MOST_TOGETHER = 10_000  # records of several calls that are typed at once


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
    cached, uncached = take_cached(keys, cache, now(), counts)
    answers = [] if uncached and not cached else [type_answers(source, cached, key_fields)]
    for chunk, parts in _fetch(source, lookup, uncached, key_fields, counts):
        by_time = source.window is not None and len(chunk) < len(keys)
        answers.append(_answers_of(source, chunk, parts, key_fields, counts, by_time=by_time))
        if cache:
            keep(cache, source, group_by_key(chunk, parts, key_fields), now())
    counts.keys_matched = counts.keys - counts.keys_missed
    return concat_answers(answers), counts


def _fetch(
    source: Source,
    lookup: Lookup[Any],
    keys: dict[KeyValues, Key],
    key_fields: KeyFields,
    counts: LookupCounts,
) -> Iterator[tuple[dict[KeyValues, Key], list[RecordsOrTable]]]:
    """Ask a look-up for keys, so many a call; yield the keys and the records of each call, or of several together.

    A connector may answer more than it is asked. Calls are put together only where all records are of their own call's keys.
    """
    if not keys:
        return
    together, records, remaining = dict[KeyValues, Key](), list[Record](), iter(keys.items())
    chunks: Iterable[dict[KeyValues, Key]] = [keys]
    if (size := lookup.keys_per_call or len(keys)) < len(keys):
        chunks = iter(lambda: dict(islice(remaining, size)), {})
    for chunk in chunks:
        counts.fetches += 1
        parts = _parts(lookup.fetch([*chunk.values()]))
        is_alone = source.window or len(chunk) == len(keys)
        own = None if is_alone else _own_records(parts, chunk, key_fields)
        if own is None:
            yield chunk, parts
            continue
        together |= chunk
        records += own
        if len(records) >= MOST_TOGETHER:
            yield together, [records]
            together, records = {}, []
    if together:
        yield together, [records]


def _own_records(
    parts: Sequence[RecordsOrTable], chunk: dict[KeyValues, Key], key_fields: KeyFields
) -> list[Record] | None:
    """The records of a call; None if it gave a table, or a record whose key is not as one that was asked for."""
    if len(parts) > 1 or isinstance(parts[0], RecordTable):
        return None
    try:
        names = [name for name, _ in key_fields]
        return parts[0] if {*raw_keys(parts[0], names)} <= chunk.keys() else None
    except TypeError:  # a value of a kind that no key has
        return None


def distinct_keys(table: Any, source: Source) -> dict[KeyValues, Key]:
    """The distinct keys of a batch's rows; a row with a null in its key asks nothing."""
    pairs, window = key_pairs(source), source.window
    owners = [*zip(*(table.column(column).to_pylist() for column, _ in pairs), strict=True)]
    fields_of = _fields_by_name([field for _, field in pairs])
    if window is None:
        distinct = dict.fromkeys(owners)
        return {values: Key(fields=fields_of(values)) for values in distinct if None not in values}
    centres = microseconds(table.column(window.column))
    before, after = (duration // MICROSECOND for duration in (window.before, window.after))
    spans_of: dict[KeyValues, list[TimeSpan]] = {}
    for values, centre in zip(owners, centres, strict=True):
        if centre is not None and None not in values:
            span = centre - before, centre + after
            if values in spans_of:
                spans_of[values].append(span)
            else:
                spans_of[values] = [span]
    keys = {}
    for values, spans in spans_of.items():
        for start, end in merge_spans(spans) if len(spans) > 1 else spans:
            times = since, until = moment(start), moment(end)
            keys[values + times] = Key(fields=fields_of(values), since=since, until=until)
    return keys


def _fields_by_name(names: list[str]) -> Callable[[KeyValues], dict[str, Any]]:
    """The function that gives the values of a key by these names."""
    if len(names) != 1:
        return lambda values: dict(zip(names, values, strict=True))
    (name,) = names
    return lambda values: {name: values[0]}


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
    asked = _by_owner(chunk, len(key_fields))
    distinct = distinct_owners(answers)
    if missed := {owner for owner in asked if owner not in distinct and owner not in answers.faults}:
        names = [name for name, _ in key_fields]
        raw = chain.from_iterable(raw_keys(part, names) for part in parts)
        answers.near_misses = near_misses(missed, raw)
    number = _count_missed(asked, answers) if source.window else len(missed)
    counts.add_misses(number, answers.near_misses)
    selected = answers
    if by_time or not (distinct <= asked.keys() and answers.faults.keys() <= asked.keys()):
        selected = select_keys(answers, asked, by_time=by_time)
        if len(selected.times) < len(answers.times) or not answers.faults.keys() <= asked.keys():
            selected.counts = _count_asked(source, parts, key_fields, asked, by_time=by_time)
    if selected.counts.names:
        selected.counts.key = next((asked[owner][0] for owner in asked if owner in distinct), None)
    return selected


def _by_owner(chunk: dict[KeyValues, Key], width: int) -> dict[KeyValues, Sequence[Key]]:
    """The keys of a chunk by their values without the times."""
    asked: dict[KeyValues, Sequence[Key]] = {values[:width]: (key,) for values, key in chunk.items()}
    if len(asked) < len(chunk):
        for owner in asked:
            asked[owner] = ()
        for values, key in chunk.items():
            asked[values[:width]] = (*asked[values[:width]], key)
    return asked


def _count_missed(asked: Mapping[KeyValues, Sequence[Key]], answers: Answers) -> int:
    """Count the keys without a record in their time."""
    owners = owners_of(answers)
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
    answers = [*fetched]
    tables = [answer for answer in answers if isinstance(answer, RecordTable)]
    records = [answer for answer in answers if isinstance(answer, Record)]
    return [records, *tables] if records or not tables else [*tables]
