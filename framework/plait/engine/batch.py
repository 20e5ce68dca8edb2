"""A batch underway: driving records with their rows, and what became of those that have none."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plait.engine.declare import with_columns
from plait.engine.join import Rows, without
from plait.engine.read import bare_rows
from plait.plugin import BadRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from plait.language.spec import Spec
    from plait.plugin import GiveUp, Item, PlaitError, Record

MANY = 32


@dataclass(slots=True)
class Batch:
    """Driving records underway; `bad`, `retry` and `failed` are by record number."""

    records: list[Record]
    rows: Rows
    now: datetime
    bad: dict[int, BadRecord] = field(default_factory=dict)
    retry: dict[int, PlaitError] = field(default_factory=dict)
    failed: dict[int, PlaitError] = field(default_factory=dict)

    def take_out(self, records: Iterable[int]) -> None:
        """Leave out all rows of these records."""
        self.rows = without(self.rows, set(records))


def all_bad(records: list[Record], error: GiveUp, spec: Spec, now: datetime) -> Batch:
    """Records none of which becomes a row, for one reason."""
    bad = BadRecord(error.message, code=error.code, help=error.help)
    table = with_columns(bare_rows(0), (p.column for p in spec.partition_by))
    return Batch(records, Rows(table, []), now, dict.fromkeys(range(len(records)), bad))


def item_of(record: Record) -> Item:
    """The driving object of a record."""
    assert record.item is not None  # noqa: S101 - a driver names the item of each record
    return record.item


@contextmanager
def left_alone(values: int) -> Iterator[None]:
    """Within, memory is not searched for cycles, if there are many values: records have none, and live till the end."""
    if values < MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
