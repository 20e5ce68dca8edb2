"""Records whose undeclared fields do not fit together, in parts that do; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.engine.answers import key_columns
from plait.engine.batch import item_of
from plait.engine.declare import refuse_twice
from plait.engine.lookup import one_value
from plait.engine.partition import parting
from plait.engine.read import kinds
from plait.problems.errors import IncompatibleTypes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.engine.read import Cast
    from plait.plan.plan import Plan
    from plait.plugin import Record


def check_found(found: Cast, plan: Plan) -> None:
    """Raise IncompatibleTypes where what was found in the driving source, before any look-up, cannot be joined or written."""
    try:
        _check(found.table, plan)
    except IncompatibleTypes as error:
        error.kinds = kinds(found, error.field)
        raise


def _check(table: Any, plan: Plan) -> None:
    refuse_twice([*table.column_names, *(f.name for f in plan.fields)])
    names = {*table.column_names}
    for name in {left for source in plan.spec.lookups for left, _ in key_columns(source)} & names:
        one_value(table, name)
    for name in {partition.column for partition in plan.spec.partition_by} & names:
        parting(table, name)


def by_kind(records: Sequence[Record], error: IncompatibleTypes) -> list[list[Record]]:
    """The records in parts, each of the objects in which the unfit field is of the same types."""
    types: dict[str, set[str]] = {}
    for record, kind in zip(records, error.kinds, strict=True):
        types.setdefault(item_of(record).uri, set()).add(kind)
    parts: dict[frozenset[str], list[Record]] = {}
    for record in records:
        parts.setdefault(frozenset(types[item_of(record).uri]), []).append(record)
    return [*parts.values()]


def in_halves(records: Sequence[Record]) -> list[list[Record]]:
    """The records in two parts of whole objects, or in one where there is one object."""
    uris = [*dict.fromkeys(item_of(r).uri for r in records)]
    first = {*uris[: len(uris) // 2]}
    parts = [[r for r in records if (item_of(r).uri in first) is left] for left in (True, False)]
    return [part for part in parts if part]
