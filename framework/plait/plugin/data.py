"""The data that travels between plait and a connector: what is asked for, what is read, what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from plait.problems.errors import BadRecord, PlaitError


class FrozenStruct(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A value that a run may hold very many of; `msgspec.structs.replace` makes a changed copy."""


class Item(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """One driving object: its URI, and which version of it was seen (`size` in bytes, `modified` in UTC)."""

    uri: str
    size: int | None = None
    modified: datetime | None = None
    etag: str | None = None


class Window(Struct, frozen=True, kw_only=True):
    """A range of time in UTC: `since` is included, `until` is not, and None means no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def contains(self, time: datetime | None) -> bool:
        """Return whether a time is in the window; an unknown time, None, is in every window."""
        if time is None:
            return True
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


class Record(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """One record as its source gives it.

    `fields` are raw values by field name: None is a null, and a field that the record does not have is left out. A driver sets the `item` that the record came from, its `position`
    within the item, a number from 1 on as text (empty if the object is one record), and its `raw` bytes. A source whose records are ordered
    by time sets `time`. A record that cannot be read has a `fault`, and its `fields` are those known anyway,
    at least its key.
    """

    fields: Mapping[str, Any]
    item: Item | None = None
    position: str = ""
    raw: bytes = b""
    time: datetime | None = None
    fault: BadRecord | None = None


class RecordTable(Struct, frozen=True, kw_only=True):
    """Many records of a lookup at once: each row of an Arrow table stands for a `Record` with its cells as fields.

    `position(n)` is the position of row n.
    """

    table: Any
    position: Callable[[int], str] = lambda _row: ""

    def records(self) -> Iterator[Record]:
        """Yield each row as a `Record`."""
        rows = enumerate(self.table.to_pylist())
        return (Record(fields=fields, position=self.position(n)) for n, fields in rows)


class ReadFailure(Struct, frozen=True):
    """A driving object that gave no records: it is gone (`Missing`), or the error says why it cannot be read."""

    item: Item
    error: Missing | PlaitError


class Key(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """What a row asks a lookup for.

    `fields` maps fields of the source to values of the row, in the row's declared types. If the source has a
    `window`, `since` and `until`, both included, bound the time of the records that the row takes.
    """

    fields: Mapping[str, Any]
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, time: datetime | None) -> bool:
        """Return whether the row takes a record of this time; without bounds it takes any record."""
        if self.since is None or self.until is None:
            return True
        return time is not None and self.since <= time <= self.until


class File(Struct, frozen=True, kw_only=True):
    """The rows of one file, as an Arrow `table`.

    `folder` is the partition (`date=2026-07-01/`), `name` has no extension, and `item` is the driving object
    that the rows were made from.
    """

    table: Any
    folder: str
    name: str
    item: Item


class Written(Struct, frozen=True, kw_only=True):
    """A file as it was stored; `bytes` is its size."""

    uri: str
    rows: int
    bytes: int


class Settled(Struct, frozen=True, kw_only=True):
    """A driving object of a batch that is done: the version that was read, and the files of its rows, none if it gave none."""

    item: Item
    files: tuple[Written, ...] = ()


class StoredObject(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """The bytes of an object, and the version of it that was read."""

    item: Item
    data: bytes


class Missing(Struct, frozen=True):
    """No object has this URI."""

    uri: str


class Put(Struct, frozen=True, kw_only=True):
    """Bytes to store at a URI, or with `removes` that nothing shall stand there; `source` is the driving object they were made from.

    What `creates` is stored only where nothing stands; else the answer is `ObjectChanged`.
    """

    uri: str
    data: bytes
    removes: bool = False
    creates: bool = False
    source: Item | None = None
