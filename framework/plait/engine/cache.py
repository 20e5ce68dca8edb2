"""Keep the answers of a look-up in a process, for as long as the spec says and within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from itertools import chain
from sys import getsizeof
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct, field

from plait.engine.answers import key_of
from plait.plugin import KeyFailed, RecordTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.engine.answers import KeyFields, KeyValues, RecordsOrTable
    from plait.engine.counts import LookupCounts
    from plait.language.spec import Source
    from plait.plugin import Key, Record

MAX_KEYS = 100_000
MAX_BYTES = 64 * 2**20


class CacheEntry(NamedTuple):
    """The cached records of a key, the time at which they were cached, and roughly their size in bytes."""

    since: float
    records: Sequence[Record]
    size: int


class Cache(Struct):
    """Records by key, safe between threads; beyond a number of keys or bytes the oldest are removed first.

    Times are seconds by one clock. Where that clock was set back, an answer from its future is not used.
    """

    lifetime: float
    max_keys: int = MAX_KEYS
    max_bytes: int = MAX_BYTES
    size: int = 0
    entries: OrderedDict[Any, CacheEntry] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def get(self, key: Any, now: float) -> CacheEntry | None:
        """The entry of a key, if it is young enough."""
        with self.lock:
            entry = self.entries.get(key)
            if entry is not None and not 0 <= now - entry.since < self.lifetime:
                self._drop(key)
                return None
            return entry

    def put(self, key: Any, now: float, records: Sequence[Record]) -> None:
        """Cache the records of a key; remove entries that are too old or exceed the bounds."""
        size = weigh(key) + sum(weigh(r.fields) + len(r.raw) + getsizeof(r) for r in records)
        entry = CacheEntry(now, records, size)
        with self.lock:
            if key in self.entries:
                self._drop(key)
            if entry.size > self.max_bytes:
                return
            self.entries[key] = entry
            self.size += entry.size
            while self.entries and self._is_too_much(now):
                self._drop(next(iter(self.entries)))

    def _is_too_much(self, now: float) -> bool:
        oldest = next(iter(self.entries.values()))
        return (
            len(self.entries) > self.max_keys
            or self.size > self.max_bytes
            or now - oldest.since >= self.lifetime
        )

    def _drop(self, key: Any) -> None:
        self.size -= self.entries.pop(key).size


def weigh(value: Any) -> int:
    """About how many bytes of memory a value takes, with all that is in it."""
    total, uncounted = 0, [value]
    while uncounted:
        part = uncounted.pop()
        total += getsizeof(part)
        uncounted += _parts(part)
    return total


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return (*value.keys(), *value.values())
    return value if isinstance(value, (list, tuple, set, frozenset)) else ()


def take_cached(
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


def group_by_key(
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


def keep(cache: Cache, source: Source, answered: dict[KeyValues, list[Record]], now: float) -> None:
    """Cache answers by key, but not a failure, and not a miss while objects wait for its match."""
    waits = source.join is not None and source.join.missing == "retry"
    for values, records in answered.items():
        if (records or not waits) and not any(isinstance(r.fault, KeyFailed) for r in records):
            cache.put(values, now, records)
