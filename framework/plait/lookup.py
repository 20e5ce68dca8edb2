"""Keyed look-ups: the distinct keys of a batch, asked once, in chunks; answers are kept while a cache says."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from plait.api import BadRecord, Key, Record
from plait.read import Cast, cast
from plait.values import Misfit, convert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from plait.api import Lookup
    from plait.spec import Source
    from plait.types import Type

KeyValues = tuple[Any, ...]
CACHED_KEYS = 100_000


@dataclass(slots=True)
class Answers:
    """Typed rows of a lookup: `keys[n]` and `times[n]` belong to row n of `table`.

    `faults` are the records that could not be typed, by key, each with its time.
    """

    table: Any
    keys: list[KeyValues]
    times: list[datetime | None]
    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]]


@dataclass(slots=True)
class Asked:
    """What one lookup was asked in a batch, and what it took to answer."""

    keys: int = 0
    cached: int = 0


@dataclass(slots=True)
class Cache:
    """Records by key for as long as the spec allows, bounded, safe between threads."""

    lifetime: float
    entries: OrderedDict[KeyValues, tuple[float, list[Record]]] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def get(self, key: KeyValues, now: float) -> list[Record] | None:
        """The records of a key that are young enough."""
        with self.lock:
            kept = self.entries.get(key)
            return kept[1] if kept and now - kept[0] < self.lifetime else None

    def put(self, key: KeyValues, now: float, records: list[Record]) -> None:
        """Keep the records of a key, dropping the oldest beyond the bound."""
        with self.lock:
            self.entries[key] = (now, records)
            self.entries.move_to_end(key)
            while len(self.entries) > CACHED_KEYS:
                self.entries.popitem(last=False)


def key_columns(source: Source) -> tuple[tuple[str, str], ...]:
    """Pairs of a row's column and the source's field that must be equal."""
    on = source.join.on if source.join else ()
    extra = ((c, c) for c in source.connector.row_columns(source.options))
    return tuple(dict.fromkeys((*on, *extra)))


def distinct_keys(table: Any, source: Source) -> dict[KeyValues, Key]:
    """The distinct keys of a batch's rows; a row with a null in its key asks nothing."""
    pairs = key_columns(source)
    columns = [table.column(left).to_pylist() for left, _ in pairs]
    around = source.window
    if around is None:
        found = dict.fromkeys(zip(*columns, strict=True))
        return {k: Key(fields=_fields(pairs, k)) for k in found if None not in k}
    centres = table.column(around.column).to_pylist()
    keys: dict[KeyValues, Key] = {}
    for *values, centre in zip(*columns, centres, strict=True):
        if centre is None or None in values:
            continue
        since, until = earlier(centre, around.before), later(centre, around.after)
        key = Key(fields=_fields(pairs, values), since=since, until=until)
        keys.setdefault((*values, since, until), key)
    return keys


def earlier(moment: datetime, by: Any) -> datetime:
    """A moment less a duration, no earlier than time can tell."""
    low = moment.min.replace(tzinfo=moment.tzinfo)
    return moment - by if moment - low > by else low


def later(moment: datetime, by: Any) -> datetime:
    """A moment and a duration, no later than time can tell."""
    high = moment.max.replace(tzinfo=moment.tzinfo)
    return moment + by if high - moment > by else high


def _fields(pairs: Sequence[tuple[str, str]], values: Iterable[Any]) -> dict[str, Any]:
    return {right: value for (_, right), value in zip(pairs, values, strict=True)}


def cast_key(value: Any, kind: Type | None) -> Any:
    """A key of an answer in the row's type, or None where that would lose something."""
    if kind is None:
        return value
    try:
        return convert(value, kind)
    except Misfit:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if kind.word == "string" and whole else None


def look_up(
    source: Source,
    lookup: Lookup,
    table: Any,
    kinds: dict[str, Type | None],
    cache: Cache | None = None,
    now: Callable[[], float] = lambda: 0.0,
) -> tuple[Answers, Asked]:
    """Ask a lookup for the rows of a batch; raises what the connector raises."""
    pairs = key_columns(source)
    wanted = [kinds.get(left) for left, _ in pairs]
    keys = distinct_keys(table, source)
    records, rest = _cached(keys, cache, now())
    asked = Asked(keys=len(keys), cached=len(keys) - len(rest))
    size = source.connector.keys_per_call or max(len(rest), 1)
    remaining = iter(rest.items())
    while chunk := list(islice(remaining, size)):
        found = list(lookup.fetch([key for _, key in chunk]))
        owners = [
            tuple(cast_key(r.fields.get(n), k) for (_, n), k in zip(pairs, wanted, strict=True))
            for r in found
        ]
        mine = {values[: len(pairs)] for values, _ in chunk}
        records += [record for record, owner in zip(found, owners, strict=True) if owner in mine]
        if cache:
            _keep(cache, source, [v for v, _ in chunk], list(zip(owners, found, strict=True)), now())
    return _answers(source, cast(records, source), records, pairs, wanted), asked


def _cached(
    keys: dict[KeyValues, Key], cache: Cache | None, now: float
) -> tuple[list[Record], dict[KeyValues, Key]]:
    if cache is None:
        return [], keys
    records: list[Record] = []
    rest = {}
    for values, key in keys.items():
        kept = cache.get(values, now)
        if kept is None:
            rest[values] = key
        else:
            records += kept
    return records, rest


def _keep(
    cache: Cache,
    source: Source,
    asked: list[KeyValues],
    found: list[tuple[KeyValues, Record]],
    now: float,
) -> None:
    """Keep answers by key; a miss is not kept while it waits, nor is what a row's own window bounds."""
    if source.window:
        return
    by_key: dict[KeyValues, list[Record]] = {values: [] for values in asked}
    for owner, record in found:
        if owner in by_key:
            by_key[owner].append(record)
    waits = source.join is not None and source.join.missing == "retry"
    for values, records in by_key.items():
        if records or not waits:
            cache.put(values, now, records)


def _answers(
    source: Source,
    typed: Cast,
    records: list[Record],
    pairs: Sequence[tuple[str, str]],
    wanted: Sequence[Type | None],
) -> Answers:
    def owner(fields: Any) -> KeyValues:
        return tuple(cast_key(fields.get(name), kind) for (_, name), kind in zip(pairs, wanted, strict=True))

    faults: dict[KeyValues, list[tuple[datetime | None, BadRecord]]] = {}
    for i, fault in typed.faults.items():
        blamed = (records[i].time, _blame(source, fault, records[i]))
        faults.setdefault(owner(records[i].fields), []).append(blamed)
    return Answers(
        table=typed.table,
        keys=[owner(fields) for fields in typed.fields],
        times=[records[i].time for i in typed.index],
        faults=faults,
    )


def _blame(source: Source, fault: BadRecord, record: Record) -> BadRecord:
    where = f"`{source.name}`, {record.position}" if record.position else f"`{source.name}`"
    return BadRecord(f"{where}: {fault.message}", code=fault.code, help=fault.help)
