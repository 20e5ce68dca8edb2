"""What blocks mean together: each check reports every place where two of them do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.api import DriverPath, FolderPath
from plait.spec import OBJECT_FACTS
from plait.suggest import help_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plait.shape import Path, Report
    from plait.spec import Partition, Quarantine, Source, Target

NESTED = ("array", "struct")
Sources = dict[str, "Source"]


def check(
    report: Report,
    blocks: Mapping[str, Source | None],
    partitions: Sequence[Partition],
    sink: Target | None,
    quarantine: Quarantine | None,
) -> list[str] | None:
    """Check all blocks together; the names of the lookups in join order, or None where there is none."""
    whole = all(blocks.values())
    sources: Sources = {name: source for name, source in blocks.items() if source}
    for name, source in sources.items():
        _abilities(report, name, source)
    if whole and not _one_driver(report, sources):
        return None
    _collisions(report, sources)
    if not whole:
        return None
    known = _known(sources)
    for name, source in sources.items():
        _references(report, name, source, known)
    for partition in partitions:
        _partition(report, partition, known, sources)
    if sink:
        _sink(report, sources, partitions, sink, quarantine)
    return _order(report, sources)


def _abilities(report: Report, name: str, source: Source) -> None:
    path: Path = ("sources", name, "connector")
    word = source.connector.name
    if source.join is None and source.connector.driver is None:
        help = "give the block a `join`" if source.connector.lookup else "use another connector"
        report.at(path, "not-a-driver", f"`{word}` cannot drive a pipeline", help=help)
    if source.join and source.connector.lookup is None:
        report.at(path, "not-a-lookup", f"`{word}` cannot be asked by keys")
    if source.join is None and source.window:
        report.at_key(("sources", name, "window"), "window-without-join", "a driver takes no `window`")
    if source.join and source.window and source.connector.order != "time":
        message = f"records of `{word}` have no time that a `window` could bound"
        report.at_key(("sources", name, "window"), "window-without-time", message)
    _duplicates(report, name, source)
    for column in source.columns or ():
        if source.join and column.origin in OBJECT_FACTS:
            where = ("sources", name, "columns", column.name, "from")
            report.at(where, "object-fact", f"`{column.origin}` is known of the driving object only")


def _duplicates(report: Report, name: str, source: Source) -> None:
    if source.join is None:
        return
    path: Path = ("sources", name, "join", "duplicates")
    order, word = source.connector.order, source.join.duplicates
    if word == "first" and order == "none":
        message = f"records of `{source.connector.name}` have no order, so none is the first"
        report.at(path, "no-order", message, help="use `duplicates: fail`")
    if word == "latest" and order != "time":
        message = f"records of `{source.connector.name}` have no time, so none is the latest"
        report.at(path, "no-order", message, help="use `duplicates: fail`")


def _one_driver(report: Report, sources: Sources) -> bool:
    drivers = [name for name, source in sources.items() if source.join is None]
    if not drivers:
        message = "no source drives: each one has a `join`"
        report.at_key(
            ("sources",), "no-driver", message, help="leave `join` out of the source that starts a row"
        )
    for name in drivers[1:]:
        message = f"`{name}` has no `join`, and `{drivers[0]}` drives already"
        report.at_key(("sources", name), "two-drivers", message, help="add `join: {on: …}`")
    return len(drivers) == 1


def _collisions(report: Report, sources: Sources) -> None:
    first: dict[str, Path] = {}
    for name, source in sources.items():
        for column in source.gives:
            listed = source.join is not None and source.join.shape == "list"
            path: Path = ("sources", name) if listed else ("sources", name, "columns", column)
            if column in first:
                line = report.located.key(first[column]).line
                note = f"first given at line {line}"
                message = f"two sources give the column `{column}`"
                report.at_key(path, "duplicate-column", message, help="rename one by `from`", note=note)
            first.setdefault(column, path)


def _known(sources: Sources) -> dict[str, str] | None:
    """Each column with its type word and whence, or None where a source's columns are unknown."""
    known: dict[str, str] = {}
    for source in sources.values():
        listed = source.join is not None and source.join.shape == "list"
        if listed:
            known[source.name] = "array"
        elif source.columns is None:
            return None
        known.update({c.name: c.type.word for c in source.columns or () if not listed})
    return known


def _references(report: Report, name: str, source: Source, known: dict[str, str] | None) -> None:
    if source.join is None or known is None:
        return
    own = set(source.gives)
    others = {column: word for column, word in known.items() if column not in own}
    places: list[tuple[str, Path]] = [
        (column, ("sources", name, "join", "on")) for column, _ in source.join.on
    ]
    places += [(c, ("sources", name, "path")) for c in source.connector.row_columns(source.options)]
    places += [(source.window.column, ("sources", name, "window", "around"))] if source.window else []
    for column, path in dict.fromkeys(places):
        if column not in others:
            own_column = column in known
            message = f"no column of the row is called `{column}`"
            if own_column:
                message = f"`{column}` comes from `{name}` itself, so it cannot find it"
            report.at(path, "unknown-column", message, help=help_for(column, others, "column", None))
        elif others[column] in NESTED:
            report.at(path, "nested-key", f"`{column}` is a list or struct, which is no key")
        elif path[-1] == "around" and others[column] != "timestamp":
            message = f"`{column}` is no timestamp, but {others[column]}"
            report.at(path, "not-a-time", message, help="declare it `timestamp`")


def _partition(report: Report, partition: Partition, known: dict[str, str] | None, sources: Sources) -> None:
    path: Path = ("partition_by", partition.name)
    if known is None:
        return
    if partition.column not in known:
        help = help_for(partition.column, known, "column", None)
        report.at(path, "unknown-column", f"no column is called `{partition.column}`", help=help)
        return
    word = known[partition.column]
    if word in NESTED or word in ("binary", "float", "double"):
        report.at(path, "partition-type", f"`{partition.column}` is {word}, by which files cannot be parted")
    elif partition.function in ("date", "month", "hour") and word not in ("date", "timestamp"):
        message = f"`{partition.function}` takes a date or timestamp, and `{partition.column}` is {word}"
        report.at(path, "partition-type", message)
    if any(partition.column in s.gives for s in sources.values() if s.join):
        message = f"`{partition.column}` comes from a look-up, so a later run may move its rows elsewhere"
        help = "part by a column of the driving record"
        report.at(path, "moving-partition", message, help=help, level="warning")


def _sink(
    report: Report,
    sources: Sources,
    partitions: Sequence[Partition],
    sink: Target,
    quarantine: Quarantine | None,
) -> None:
    driver = next(s for s in sources.values() if s.join is None)
    taken = [v for v in _paths(driver.options) if isinstance(v, DriverPath)]
    parts = "".join(f"{partition.name}=0/" for partition in partitions)
    written: list[tuple[str, Path]] = [
        (f"{p.literal}{parts}0{suffix}", ("sink", "path"))
        for p in _paths(sink.options)
        if isinstance(p, FolderPath)
        for suffix in ("", ".parquet")
    ]
    if quarantine:
        written.append((f"{quarantine.path.rstrip('/')}/0.json", ("quarantine",)))
    again = {path for uri, path in written for one in taken if one.match(uri) is not None}
    for path in again:
        message = "files written here would drive the pipeline again"
        report.at(path, "recursion", message, help=f"choose a folder outside of `{taken[0].text}`")


def _paths(options: object) -> list[object]:
    return [getattr(options, name) for name in options.__struct_fields__]  # type: ignore[attr-defined]


def _order(report: Report, sources: Sources) -> list[str] | None:
    """Lookups so that each comes after those whose columns it asks by, else in the spec's order."""
    waiting = {name: source for name, source in sources.items() if source.join}
    order: list[str] = []
    while waiting:
        ready = [name for name, s in waiting.items() if not _blockers(s, waiting)]
        if not ready:
            _cycle(report, waiting)
            return None
        order += ready
        waiting = {name: s for name, s in waiting.items() if name not in ready}
    return order


def _blockers(source: Source, waiting: Mapping[str, Source]) -> list[str]:
    return [n for n, other in waiting.items() if other is not source and set(source.needs) & set(other.gives)]


def _cycle(report: Report, waiting: Mapping[str, Source]) -> None:
    name, source = next(iter(waiting.items()))
    chain = [name]
    while (following := _blockers(source, waiting)[0]) not in chain:
        chain.append(following)
        source = waiting[following]
    names = " → ".join(f"`{n}`" for n in [*chain[chain.index(following) :], following])
    path: Path = ("sources", chain[-1], "join", "on")
    report.at(path, "join-cycle", f"look-ups wait for each other: {names}")
