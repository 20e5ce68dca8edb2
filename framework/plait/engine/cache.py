"""Keep the answers of a look-up in a process, for as long as the spec says and within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from sys import getsizeof
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.plugin import Record

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
