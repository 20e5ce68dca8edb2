"""A batch during a run: driving records with their rows, and the outcome of those that have none."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct, field

from plait.engine.join import Rows, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from plait.plugin import BadRecord, Item, PlaitError, Record

MANY = 32  # from this number of objects on, garbage collection is paused for a batch


class Batch(Struct):
    """Driving records with their rows.

    `empty` are the objects without a record. `bad`, `retry` and `failed` are by record number: why a record is put into
    quarantine, comes again, or fails.
    """

    records: list[Record]
    rows: Rows
    now: datetime
    empty: Sequence[Item] = ()
    bad: dict[int, BadRecord] = field(default_factory=dict)
    retry: dict[int, PlaitError] = field(default_factory=dict)
    failed: dict[int, PlaitError] = field(default_factory=dict)

    def take_out(self, record_numbers: Iterable[int]) -> None:
        """Remove all rows of these records."""
        self.rows = without(self.rows, set(record_numbers))

    def uri_of(self, record_number: int) -> str:
        """The URI of the driving object of a record."""
        return item_of(self.records[record_number]).uri


def item_of(record: Record) -> Item:
    """The driving object of a record."""
    assert record.item is not None  # noqa: S101 - a driver names the item of each record
    return record.item


@contextmanager
def garbage_collection_paused(objects: int) -> Iterator[None]:
    """Pause cyclic garbage collection while a batch of many objects is built: its values hold no cycles."""
    if objects < MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
