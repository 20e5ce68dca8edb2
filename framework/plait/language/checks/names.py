"""Each column of the row has one source, a name of its own, and look-ups do not wait for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plait.language.build import blockers
from plait.language.checks.references import places_of_needed
from plait.language.checks.registry import check
from plait.language.checks.subject import columns_given, is_list, path_of
from plait.language.finding import Finding
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.source_map import KeyPath
    from plait.language.spec import Source


class GivenColumn(NamedTuple):
    """A column that a source gives to the row, and the path of the key that says so."""

    name: str
    path: KeyPath
    source: Source


def _given(subject: Subject) -> Iterator[GivenColumn]:
    for source in subject.sources:
        for name in columns_given(source) or ():
            written = (*path_of(source), "columns", name)
            is_written = subject.writes(written) and not is_list(source)
            yield GivenColumn(name, written if is_written else path_of(source), source)


def _clashes(subject: Subject) -> Iterator[tuple[GivenColumn, GivenColumn]]:
    """Each column whose name another column before it has, whatever the case, with that other."""
    first: dict[str, GivenColumn] = {}
    for column in _given(subject):
        other = first.setdefault(column.name.lower(), column)
        if other is not column:
            yield column, other


@check("duplicate-column")
def duplicate_column(subject: Subject) -> Iterator[Finding]:
    """Two sources give one column."""
    for (name, path, source), other in _clashes(subject):
        if name != other.name:
            continue
        kind = (columns_given(source) or {})[name]
        help = f"rename it, as in `{source.name}_{name}: {{type: {kind}, from: {name}}}`"
        if path == path_of(source):
            help = "rename the source"
        message = f"the column {excerpt(name)} comes from {excerpt(other.source.name)} already"
        yield Finding(path, message, help, f"first given at line {subject.line(other.path)}", at="key")


@check("case-clash")
def case_clash(subject: Subject) -> Iterator[Finding]:
    """Athena and Glue do not see case, so two columns must differ in more."""
    pairs = [(column.name, column.path, other.name, other.path) for column, other in _clashes(subject)]
    for source in filter(is_list, subject.sources):
        pairs += _clashes_within(source)
    first = {column.name.lower(): column for column in reversed([*_given(subject)])}
    for partition in subject.spec.partition_by:
        if column := first.get(partition.name.lower()):
            pairs.append((partition.name, ("partition_by", partition.name), column.name, column.path))
    for name, path, other, other_path in pairs:
        if name != other:
            message = (
                f"{excerpt(name)} and {excerpt(other)} differ in case only, which Athena and Glue do not see"
            )
            note = f"first given at line {subject.line(other_path)}"
            yield Finding(path, message, "rename one of them", note, at="key")


def _clashes_within(source: Source) -> Iterator[tuple[str, KeyPath, str, KeyPath]]:
    """The columns of a list that differ in case alone."""
    path, first = (*path_of(source), "columns"), dict[str, str]()
    for column in source.columns or ():
        other = first.setdefault(column.name.lower(), column.name)
        yield column.name, (*path, column.name), other, (*path, other)


@check("join-cycle")
def join_cycle(subject: Subject) -> Iterator[Finding]:
    """Look-ups that wait for columns of each other."""
    waiting = {source.name: source for source in subject.spec.lookups}
    while ready := [name for name, source in waiting.items() if not blockers(source, waiting.values())]:
        waiting = {name: source for name, source in waiting.items() if name not in ready}
    if not waiting:
        return
    waits_for = {name: blockers(source, waiting.values()) for name, source in waiting.items()}
    chain = [next(iter(waits_for))]
    while (following := next(iter(waits_for[chain[-1]]))) not in chain:
        chain.append(following)
    ring = chain[chain.index(following) :]
    places = {}
    for name, following in zip(ring, [*ring[1:], ring[0]], strict=True):
        column = waits_for[name][following]
        place = next(place for place in places_of_needed(subject, waiting[name]) if place.name == column)
        places[name] = (subject.span(place.path, place.at, place.part), place, following)
    start = ring.index(min(ring, key=lambda name: places[name][0]))
    ring = [*ring[start:], *ring[:start]]
    texts = [
        f"{excerpt(name)} waits for {excerpt(places[name][1].name)} of {excerpt(places[name][2])}"
        for name in ring
    ]
    message = f"look-ups wait for each other: {', and '.join(texts[:4])}"
    help = f"join one of them on a column of {excerpt(subject.spec.driver.name)}"
    first = places[ring[0]][1]
    yield Finding(first.path, message, help, at=first.at, part=first.part)
