"""Keyed look-ups: the distinct keys of a batch, asked once, in chunks; answers are kept while a cache says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from plait.engine.answers import (
    Answers,
    KeyValues,
    Pairs,
    Part,
    key_columns,
    of,
    owner,
    raw_keys,
    together,
    typed,
)
from plait.engine.cache import Cache
from plait.engine.near_misses import twins
from plait.plugin import Key, Record, RecordTable
from plait.problems.errors import IncompatibleTypes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.engine.context import Services
    from plait.language.spec import Source, Spec
    from plait.plugin import Lookup
    from plait.values.types import Type

Span = tuple[int, int]  # microseconds since 1970, both ends included
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
T = TypeVar("T", int, datetime)


@dataclass(slots=True)
class LookupStats:
    """What one lookup was asked in a batch: of `keys` so many were `cached`, the oldest for so many seconds."""

    keys: int = 0
    cached: int = 0
    cached_seconds: float = 0.0


def distinct_keys(table: Any, source: Source) -> dict[KeyValues, Key]:
    """The distinct keys of a batch's rows; a row with a null in its key asks nothing."""
    pairs = key_columns(source)
    columns = [one_value(table, left).to_pylist() for left, _ in pairs]
    around = source.window
    if around is None:
        found = dict.fromkeys(zip(*columns, strict=True))
        return {k: Key(fields=_fields(pairs, k)) for k in found if None not in k}
    centres = table.column(around.column).combine_chunks().view("int64").to_pylist()
    before, after = (by // MICROSECOND for by in (around.before, around.after))
    spans: dict[KeyValues, list[Span]] = {}
    for values, centre in zip(zip(*columns, strict=True), centres, strict=True):
        if centre is not None and None not in values:
            spans.setdefault(values, []).append((max(FIRST, centre - before), min(LAST, centre + after)))
    return {
        (*values, *span): Key(fields=_fields(pairs, values), since=span[0], until=span[1])
        for values, found in spans.items()
        for span in map(_moments, apart(found) if len(found) > 1 else found)
    }


def _moments(span: Span) -> tuple[datetime, datetime]:
    return EPOCH + span[0] * MICROSECOND, EPOCH + span[1] * MICROSECOND


def one_value(table: Any, name: str) -> Any:
    """The column of a key; raises IncompatibleTypes where a column of undeclared type turns out to nest."""
    import pyarrow as pa

    column = table.column(name)
    if pa.types.is_nested(column.type):
        message = f"`{name}` turned out to be `{str(column.type)[:60]}`, which is no key"
        raise IncompatibleTypes(
            message, field=name, code="nested-key", help="join on a column that holds one value"
        )
    return column


def apart(spans: Iterable[tuple[T, T]]) -> list[tuple[T, T]]:
    """The same time in stretches that do not overlap, so that no record is within two of them."""
    joined: list[tuple[T, T]] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
        else:
            joined.append((since, until))
    return joined


def _fields(pairs: Sequence[tuple[str, str]], values: Iterable[Any]) -> dict[str, Any]:
    return {right: value for (_, right), value in zip(pairs, values, strict=True)}


class OpenLookups:
    """The look-ups of a spec, each opened when it is first asked, with the caches of their answers."""

    def __init__(self, spec: Spec, services: Services) -> None:
        self.services = services
        self.names = [source.name for source in spec.lookups]
        self.opened: dict[str, Lookup] = {}
        self.caches = {s.name: Cache(s.cache.total_seconds()) for s in spec.lookups if s.cache}
        self.caches_of_parts: dict[str, Cache] = {}

    def open(self, source: Source) -> Lookup:
        """Return the look-up of a source, opened once."""
        if source.name not in self.opened:
            assert source.connector.lookup is not None  # noqa: S101 - validated
            context = self.services.context(source.name, source.fields)
            self.opened[source.name] = source.connector.lookup(source.options, context)
        return self.opened[source.name]

    def ask(self, source: Source, table: Any, kinds: dict[str, Type | None]) -> tuple[Answers, LookupStats]:
        """Ask a source for the rows of a batch; `kinds` has the types of the columns. Raises what the connector raises."""
        with self.services.on_behalf_of(source.name):
            cache = self.caches.get(source.name) or self.caches_of_parts.get(source.name)
            return look_up(source, self.open(source), table, kinds, cache, self._seconds)

    def remember_for_parts(self) -> None:
        """From now on keep all answers, for the parts of a batch that does not fit together."""
        if not self.caches_of_parts:
            self.caches_of_parts = {name: Cache(math.inf) for name in self.names}

    def forget_parts(self) -> None:
        """Forget the answers kept for parts of a batch."""
        self.caches_of_parts = {}

    def _seconds(self) -> float:
        """The clock of caches: it goes on while a process sleeps between invocations."""
        return self.services.now().timestamp()


def look_up(
    source: Source,
    lookup: Lookup,
    table: Any,
    kinds: dict[str, Type | None],
    cache: Cache | None = None,
    now: Callable[[], float] = lambda: 0.0,
) -> tuple[Answers, LookupStats]:
    """Ask a lookup for the rows of a batch; raises what the connector raises."""
    pairs = key_columns(source)
    wanted = [kinds.get(left) for left, _ in pairs]
    keys = distinct_keys(table, source)
    asked = LookupStats(keys=len(keys))
    records, rest = _cached(keys, cache, now(), asked)
    size = source.connector.keys_per_call or max(len(rest), 1)
    if cache is None and len(rest) <= size and source.columns is not None:
        return _at_once(source, lookup, rest, pairs, wanted), asked
    remaining, alike = iter(rest.items()), set[KeyValues]()
    while chunk := list(islice(remaining, size)):
        found = [*_single(lookup.fetch([key for _, key in chunk]))]
        owners = [owner(r.fields, pairs, wanted) for r in found]
        answered = _by_key(chunk, zip(owners, found, strict=True))
        records += [record for some in answered.values() for record in some]
        alike |= _alike(chunk, owners, found)
        if cache:
            _keep(cache, source, answered, now())
    answers = typed(source, records, pairs, wanted)
    answers.twins = alike
    return answers, asked


def _at_once(
    source: Source,
    lookup: Lookup,
    keys: dict[KeyValues, Key],
    pairs: Pairs,
    wanted: Sequence[Type | None],
) -> Answers:
    """Ask for all keys in one call, of which nothing is kept."""
    parts = _parts(lookup.fetch([*keys.values()]) if keys else ())
    answers = together([typed(source, part, pairs, wanted) for part in parts])
    asked = {tuple(key.fields.values()) for key in keys.values()}
    owners = [*zip(*(one if isinstance(one, list) else one.to_pylist() for one in answers.keys), strict=True)]
    found = {*owners}
    if missed := asked - found - {*answers.faults}:
        answers.twins = twins(missed, chain.from_iterable(raw_keys(part, pairs) for part in parts))
    return answers if found <= asked else of(answers, asked, owners)


def _single(found: Iterable[Record | RecordTable]) -> Iterator[Record]:
    """All as single records."""
    for one in found:
        yield from one.records() if isinstance(one, RecordTable) else (one,)


def _parts(found: Iterable[Record | RecordTable]) -> list[Part]:
    """The single records together, and each block."""
    records: list[Record] = []
    blocks: list[Part] = []
    for one in found:
        (blocks if isinstance(one, RecordTable) else records).append(one)  # type: ignore[arg-type]
    return [records, *blocks] if records or not blocks else blocks


def _cached(
    keys: dict[KeyValues, Key], cache: Cache | None, now: float, asked: LookupStats
) -> tuple[list[Record], dict[KeyValues, Key]]:
    if cache is None:
        return [], keys
    records: list[Record] = []
    rest = {}
    for values, key in keys.items():
        kept = cache.get(values, now)
        if kept is None:
            rest[values] = key
            continue
        records += kept.records
        asked.cached += 1
        asked.cached_seconds = max(asked.cached_seconds, now - kept.since)
    return records, rest


def _by_key(
    chunk: Sequence[tuple[KeyValues, Key]], found: Iterable[tuple[KeyValues, Record]]
) -> dict[KeyValues, list[Record]]:
    """The records of each key that was asked; what nobody asked for is left out."""
    by_owner: dict[KeyValues, list[Record]] = {}
    for key, record in found:
        by_owner.setdefault(key, []).append(record)
    return {
        values: [r for r in by_owner.get(values[: len(key.fields)], ()) if key.covers(r.time)]
        for values, key in chunk
    }


def _alike(
    chunk: Sequence[tuple[KeyValues, Key]], owners: Sequence[KeyValues], found: Sequence[Record]
) -> set[KeyValues]:
    """The keys asked for that nothing has, but for which something came that looks alike."""
    missed = {tuple(key.fields.values()) for _, key in chunk} - set(owners)
    names = [*chunk[0][1].fields]
    return twins(missed, (tuple(map(r.fields.get, names)) for r in found)) if missed else set()


def _keep(cache: Cache, source: Source, answered: dict[KeyValues, list[Record]], now: float) -> None:
    """Keep answers by key; a miss is not kept while it waits."""
    waits = source.join is not None and source.join.missing == "retry"
    for values, records in answered.items():
        if records or not waits:
            cache.put(values, now, records)
