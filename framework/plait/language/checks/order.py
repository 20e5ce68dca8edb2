"""What blocks mean together: each check reports every place where two of them do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.language.checks.output import check_folders, check_partitions
from plait.language.checks.references import UnknownColumns, check_fields, check_lookup, needs
from plait.language.checks.row import gives, known_fields, row_of
from plait.language.checks.source import check_source
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.language.build.sources import SourceDraft
    from plait.language.checks.references import Need
    from plait.language.source_map import KeyPath
    from plait.language.spec import Partition, Quarantine, Target
    from plait.language.structure import ProblemCollector


def check(
    collector: ProblemCollector,
    blocks: Sequence[SourceDraft],
    partitions: Sequence[Partition],
    sink: Target | None,
    quarantine: Quarantine | None,
) -> list[str]:
    """Check all blocks together; the names of the lookups, each after those whose columns it asks by."""
    time = _time(blocks)
    for block in blocks:
        check_source(block, time, collector)
    _drivers(blocks, collector)
    _collisions(blocks, partitions, collector)
    row = row_of(blocks, collector.source_map.skipped_keys)
    unknown = UnknownColumns(collector, row)
    for block in blocks:
        check_lookup(block, row, unknown, collector)
        check_fields(block, row, collector)
    check_partitions(partitions, blocks, row, unknown, collector)
    unknown.tell()
    check_folders(blocks, partitions, sink, quarantine, collector)
    return _order(blocks, collector)


def _time(blocks: Sequence[SourceDraft]) -> str | None:
    """A timestamp column of the driving source."""
    columns = (one for block in blocks if block.role == "driver" for one in (block.columns or {}).values())
    return next((one.name for one in columns if one and one.type.word == "timestamp"), None)


def _drivers(blocks: Sequence[SourceDraft], collector: ProblemCollector) -> None:
    drivers = [block for block in blocks if block.role == "driver"]
    unclear = collector.source_map.skipped_keys or any(block.role == "unclear" for block in blocks)
    if not drivers and not unclear:
        able = next((one.name for one in blocks if one.connector and one.connector.driver), None)
        message = "no source drives, as each one has a `join`" if blocks else "there is no source"
        help = f"leave `join` out of {excerpt(able)}, if its objects become the rows" if able else None
        help = help or "give a source without `join`, whose objects become the rows"
        collector.add_at_key(("sources",), "no-driver", message, help=help)
    for block in drivers[1:]:
        first = drivers[0]
        message = f"{excerpt(block.name)} has no `join`, so it would drive beside {excerpt(first.name)}"
        note = f"{excerpt(first.name)} drives at line {collector.line(first.path)}"
        help = f"add `join: {{on: {_shared(first, block)}}}`"
        collector.add_at_key(block.path, "two-drivers", message, help=help, note=note)


def _shared(driver: SourceDraft, block: SourceDraft) -> str:
    """A column of the driver that the source has a field for, as far as the spec tells."""
    fields = known_fields(block) or block.columns or ()
    return next((name for name in driver.columns or () if name in fields), "…")


def _collisions(
    blocks: Sequence[SourceDraft], partitions: Sequence[Partition], collector: ProblemCollector
) -> None:
    """No column is given twice, and no two names differ in case alone, which Athena and Glue do not see."""
    first: dict[str, tuple[str, KeyPath, str]] = {}
    for block in blocks:
        _alike([*(block.columns or ())] if block.shape == "list" else [], block, collector)
        for name in gives(block) or ():
            written = (*block.path, "columns", name)
            path = (
                written if written in collector.source_map.key_spans and block.shape != "list" else block.path
            )
            if name.lower() in first:
                _collision(block, name, path, first[name.lower()], collector)
            first.setdefault(name.lower(), (name, path, block.name))
    for one in partitions:
        name, path, _ = first.get(one.name.lower(), (one.name, (), ""))
        if name != one.name:
            _case(name, one.name, ("partition_by", one.name), collector.line(path), collector)


def _alike(names: list[str], block: SourceDraft, collector: ProblemCollector) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            line = collector.line((*block.path, "columns", other))
            _case(other, name, (*block.path, "columns", name), line, collector)


def _case(other: str, name: str, path: KeyPath, line: int, collector: ProblemCollector) -> None:
    message = f"{excerpt(name)} and {excerpt(other)} differ in case only, which Athena and Glue do not see"
    note = f"first given at line {line}"
    collector.add_at_key(path, "case-clash", message, help="rename one of them", note=note)


def _collision(
    block: SourceDraft, name: str, path: KeyPath, first: tuple[str, KeyPath, str], collector: ProblemCollector
) -> None:
    other, place, giver = first
    line = collector.line(place)
    if other != name:
        _case(other, name, path, line, collector)
        return
    kind = gives(block) or {}
    help = f"rename it, as in `{block.name}_{name}: {{type: {kind.get(name) or 'string'}, from: {name}}}`"
    if path == block.path:
        help = "rename the source" if block.shape == "list" else "name its `columns`"
    message = f"the column {excerpt(name)} comes from {excerpt(giver)} already"
    collector.add_at_key(path, "duplicate-column", message, help=help, note=f"first given at line {line}")


def _order(blocks: Sequence[SourceDraft], collector: ProblemCollector) -> list[str]:
    """Lookups so that each comes after those whose columns it asks by, else in the spec's order."""
    waiting = {block.name: block for block in blocks if block.role == "lookup"}
    asked = {name: needs(block, collector) for name, block in waiting.items()}
    given = {name: gives(block) or {} for name, block in waiting.items()}
    order: list[str] = []
    while waiting:
        blockers = {name: _blockers(name, asked[name], given, waiting) for name in waiting}
        ready = [name for name, waits in blockers.items() if not waits]
        if not ready:
            _cycle(blockers, blocks, collector)
            return order
        order += ready
        waiting = {name: block for name, block in waiting.items() if name not in ready}
    return order


Waits = dict[str, "Need"]


def _blockers(name: str, asked: list[Need], given: dict[str, Any], waiting: dict[str, SourceDraft]) -> Waits:
    """The waiting lookups whose columns a lookup asks by, each with the first such column."""
    found: Waits = {}
    for need in asked:
        for other in waiting:
            if other != name and need.name in given[other] and need.name not in given[name]:
                found.setdefault(other, need)
    return found


def _cycle(blockers: dict[str, Waits], blocks: Sequence[SourceDraft], collector: ProblemCollector) -> None:
    chain = [next(iter(blockers))]
    while (following := next(iter(blockers[chain[-1]]))) not in chain:
        chain.append(following)
    ring = chain[chain.index(following) :]
    start = min(range(len(ring)), key=lambda n: blockers[ring[n]][ring[(n + 1) % len(ring)]].span)
    ring = [*ring[start:], *ring[:start]]
    links = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    waits = [
        f"{excerpt(one)} waits for {excerpt(blockers[one][other].name)} of {excerpt(other)}"
        for one, other in links
    ]
    message = f"look-ups wait for each other: {', and '.join(waits[:4])}"
    driver = next((block.name for block in blocks if block.role == "driver"), None)
    help = f"join one of them on a column of {excerpt(driver) if driver else 'the driving source'}"
    collector.add(blockers[ring[0]][ring[1 % len(ring)]].span, "join-cycle", message, help=help)
