"""Check the blocks of a spec together, each check at every place where two of them do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from plait.language.draft_checks.output import check_folders, check_partitions
from plait.language.draft_checks.references import UnknownColumns, check_fields, check_lookup, needed_columns
from plait.language.draft_checks.row import given_columns, known_fields, row_of
from plait.language.draft_checks.source import check_source
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.language.draft_checks.references import NeededColumn
    from plait.language.drafts.collector import ProblemCollector
    from plait.language.drafts.sources import SourceDraft
    from plait.language.source_map import KeyPath
    from plait.language.spec import Partition, Quarantine, Target


def check_blocks(
    drafts: Sequence[SourceDraft],
    partitions: Sequence[Partition],
    sink: Target | None,
    quarantine: Quarantine | None,
    collector: ProblemCollector,
) -> list[str]:
    """Report what does not fit together; returns the names of the look-ups, each after those whose columns it needs."""
    time = _timestamp_of_driver(drafts)
    for draft in drafts:
        check_source(draft, time, collector)
    _check_driver(drafts, collector)
    _check_column_names(drafts, partitions, collector)
    row = row_of(drafts, collector.source_map.skipped_keys)
    unknown = UnknownColumns(collector, row)
    for draft in drafts:
        check_lookup(draft, row, unknown, collector)
        check_fields(draft, row, collector)
    check_partitions(partitions, drafts, row, unknown, collector)
    unknown.report()
    check_folders(drafts, partitions, sink, quarantine, collector)
    return _order_of_lookups(drafts, collector)


def _timestamp_of_driver(drafts: Sequence[SourceDraft]) -> str | None:
    """The name of a timestamp column of the driving source."""
    drivers = (draft for draft in drafts if draft.role == "driver")
    columns = (column for draft in drivers for column in (draft.columns or {}).values())
    return next((column.name for column in columns if column and column.type.word == "timestamp"), None)


def _check_driver(drafts: Sequence[SourceDraft], collector: ProblemCollector) -> None:
    """Exactly one source drives."""
    drivers = [draft for draft in drafts if draft.role == "driver"]
    unclear = collector.source_map.skipped_keys or any(draft.role == "unclear" for draft in drafts)
    if not drivers and not unclear:
        able = next((draft.name for draft in drafts if draft.connector and draft.connector.driver), None)
        message = "no source drives, as each one has a `join`" if drafts else "there is no source"
        help = f"leave `join` out of {excerpt(able)}, if its objects become the rows" if able else None
        help = help or "give a source without `join`, whose objects become the rows"
        collector.add_at_key(("sources",), "no-driver", message, help=help)
    for draft in drivers[1:]:
        first = drivers[0]
        message = f"{excerpt(draft.name)} has no `join`, so it would drive beside {excerpt(first.name)}"
        note = f"{excerpt(first.name)} drives at line {collector.line(first.path)}"
        help = f"add `join: {{on: {_shared_column(first, draft)}}}`"
        collector.add_at_key(draft.path, "two-drivers", message, help=help, note=note)


def _shared_column(driver: SourceDraft, draft: SourceDraft) -> str:
    """A column of the driver that the source seems to have a field for, else `…`."""
    fields = known_fields(draft) or draft.columns or ()
    return next((name for name in driver.columns or () if name in fields), "…")


def _check_column_names(
    drafts: Sequence[SourceDraft], partitions: Sequence[Partition], collector: ProblemCollector
) -> None:
    """No column is given twice, and no two names differ in case alone, which Athena and Glue do not see."""
    first: dict[str, GivenName] = {}
    for draft in drafts:
        if draft.shape == "list":
            _check_case_within_list(draft, collector)
        for name in given_columns(draft) or ():
            written = (*draft.path, "columns", name)
            is_written = written in collector.source_map.key_spans and draft.shape != "list"
            given = GivenName(name, written if is_written else draft.path, draft)
            if name.lower() in first:
                _add_name_clash(given, first[name.lower()], collector)
            first.setdefault(name.lower(), given)
    for partition in partitions:
        column = first.get(partition.name.lower())
        if column and column.name != partition.name:
            path = ("partition_by", partition.name)
            _add_case_clash(column.name, partition.name, path, collector.line(column.path), collector)


class GivenName(NamedTuple):
    """A column that a source gives to the row, and the path of the key that says so."""

    name: str
    path: KeyPath
    draft: SourceDraft


def _check_case_within_list(draft: SourceDraft, collector: ProblemCollector) -> None:
    """The columns of a list do not differ in case alone."""
    seen: dict[str, str] = {}
    for name in draft.columns or ():
        other = seen.setdefault(name.lower(), name)
        if other != name:
            line = collector.line((*draft.path, "columns", other))
            _add_case_clash(other, name, (*draft.path, "columns", name), line, collector)


def _add_case_clash(other: str, name: str, path: KeyPath, line: int, collector: ProblemCollector) -> None:
    message = f"{excerpt(name)} and {excerpt(other)} differ in case only, which Athena and Glue do not see"
    note = f"first given at line {line}"
    collector.add_at_key(path, "case-clash", message, help="rename one of them", note=note)


def _add_name_clash(given: GivenName, first: GivenName, collector: ProblemCollector) -> None:
    name, path, draft = given
    line = collector.line(first.path)
    if first.name != name:
        _add_case_clash(first.name, name, path, line, collector)
        return
    kind = (given_columns(draft) or {}).get(name) or "string"
    help = f"rename it, as in `{draft.name}_{name}: {{type: {kind}, from: {name}}}`"
    if path == draft.path:
        help = "rename the source" if draft.shape == "list" else "name its `columns`"
    message = f"the column {excerpt(name)} comes from {excerpt(first.draft.name)} already"
    collector.add_at_key(path, "duplicate-column", message, help=help, note=f"first given at line {line}")


def _order_of_lookups(drafts: Sequence[SourceDraft], collector: ProblemCollector) -> list[str]:
    """Order the look-ups so that each comes after those whose columns it needs, else as in the spec."""
    waiting = {draft.name: draft for draft in drafts if draft.role == "lookup"}
    needed = {name: needed_columns(draft, collector) for name, draft in waiting.items()}
    given = {name: given_columns(draft) or {} for name, draft in waiting.items()}
    order: list[str] = []
    while waiting:
        blockers = {name: _blockers(name, needed[name], given, waiting) for name in waiting}
        ready = [name for name, needed_of in blockers.items() if not needed_of]
        if not ready:
            _add_cycle(blockers, drafts, collector)
            return order
        order += ready
        waiting = {name: draft for name, draft in waiting.items() if name not in ready}
    return order


Blockers = dict[str, "NeededColumn"]


def _blockers(
    name: str,
    needed: list[NeededColumn],
    given: dict[str, Any],
    waiting: dict[str, SourceDraft],
) -> Blockers:
    """The waiting look-ups whose columns a look-up needs, each with the first such column."""
    blockers: Blockers = {}
    for column in needed:
        for other in waiting:
            if other != name and column.name in given[other] and column.name not in given[name]:
                blockers.setdefault(other, column)
    return blockers


def _add_cycle(
    blockers: dict[str, Blockers], drafts: Sequence[SourceDraft], collector: ProblemCollector
) -> None:
    """Report look-ups that wait for each other, at the one that stands first in the spec."""
    chain = [next(iter(blockers))]
    while (following := next(iter(blockers[chain[-1]]))) not in chain:
        chain.append(following)
    ring = chain[chain.index(following) :]
    start = min(range(len(ring)), key=lambda n: blockers[ring[n]][ring[(n + 1) % len(ring)]].span)
    ring = [*ring[start:], *ring[:start]]
    waits = [
        f"{excerpt(name)} waits for {excerpt(blockers[name][other].name)} of {excerpt(other)}"
        for name, other in zip(ring, [*ring[1:], ring[0]], strict=True)
    ]
    message = f"look-ups wait for each other: {', and '.join(waits[:4])}"
    driver = next((draft.name for draft in drafts if draft.role == "driver"), None)
    help = f"join one of them on a column of {excerpt(driver) if driver else 'the driving source'}"
    collector.add(blockers[ring[0]][ring[1 % len(ring)]].span, "join-cycle", message, help=help)
