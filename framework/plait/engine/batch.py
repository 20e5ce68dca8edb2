"""A batch during a run: driving records with their rows, and the outcome of those that have none.

Records whose undeclared fields do not fit together are split here into parts that do.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from plait.engine.answers import key_pairs
from plait.engine.declare import require_distinct, with_columns
from plait.engine.join import Rows, without
from plait.engine.lookup import key_column
from plait.engine.partition import partition_column
from plait.engine.read import empty_rows, type_names
from plait.plugin import BadRecord
from plait.problems.errors import IncompatibleTypes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from plait.engine.read import TypedRecords
    from plait.language.spec import Spec
    from plait.plan.plan import Plan
    from plait.plugin import GiveUp, Item, PlaitError, Record

MANY = 32  # from this number of objects on, garbage collection is paused for a batch


class Batch(Struct):
    """Driving records with their rows.

    `bad`, `retry` and `failed` are by record number: why a record is put into quarantine, comes again, or fails.
    """

    records: list[Record]
    rows: Rows
    now: datetime
    bad: dict[int, BadRecord] = field(default_factory=dict)
    retry: dict[int, PlaitError] = field(default_factory=dict)
    failed: dict[int, PlaitError] = field(default_factory=dict)

    def take_out(self, record_numbers: Iterable[int]) -> None:
        """Remove all rows of these records."""
        self.rows = without(self.rows, set(record_numbers))

    def uri_of(self, record_number: int) -> str:
        """The URI of the driving object of a record."""
        return item_of(self.records[record_number]).uri


def all_bad(records: list[Record], error: GiveUp, spec: Spec, now: datetime) -> Batch:
    """Make a batch of records that all fail for one reason and become no rows."""
    bad = BadRecord(error.message, code=error.code, help=error.help)
    table = with_columns(empty_rows(0), (p.column for p in spec.partition_by))
    return Batch(records, Rows(table, []), now, dict.fromkeys(range(len(records)), bad))


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


def check_inferred(typed: TypedRecords, plan: Plan) -> None:
    """Raise IncompatibleTypes where inferred columns of the driving source cannot be joined or written.

    This is checked before any look-up is asked.
    """
    try:
        _check_columns(typed.table, plan)
    except IncompatibleTypes as error:
        error.kinds = type_names(typed, error.field)
        raise


def _check_columns(table: Any, plan: Plan) -> None:
    require_distinct([*table.column_names, *(f.name for f in plan.fields)])
    names = {*table.column_names}
    for name in {column for source in plan.spec.lookups for column, _ in key_pairs(source)} & names:
        key_column(table, name)
    for name in {partition.column for partition in plan.spec.partition_by} & names:
        partition_column(table, name)


def split_by_type(records: Sequence[Record], error: IncompatibleTypes) -> list[list[Record]]:
    """Split records into parts, each of objects in which the error's field has the same types."""
    types: dict[str, set[str]] = {}
    for record, type_name in zip(records, error.kinds, strict=True):
        types.setdefault(item_of(record).uri, set()).add(type_name)
    parts: dict[frozenset[str], list[Record]] = {}
    for record in records:
        parts.setdefault(frozenset(types[item_of(record).uri]), []).append(record)
    return [*parts.values()]


def split_in_halves(records: Sequence[Record]) -> list[list[Record]]:
    """Split records into two parts of whole objects, or return one part where there is one object."""
    uris = [*dict.fromkeys(item_of(r).uri for r in records)]
    first_half = {*uris[: len(uris) // 2]}
    parts = [[r for r in records if (item_of(r).uri in first_half) is first] for first in (True, False)]
    return [part for part in parts if part]
