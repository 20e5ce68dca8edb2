"""Two plans of one lake: what changes, and whether those who read the lake would break; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.language.spec import Join, Source
    from plait.plan.plan import Field, Plan
    from plait.values.types import Type

LEAVES_OUT = ("drop", "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: a phrase such as `column-removed`, what it befalls, and how that was and is."""

    kind: str
    name: str
    before: str | None = None
    after: str | None = None
    breaking: bool


def changes(old: Plan, new: Plan) -> tuple[Change, ...]:
    """All changes that readers of the lake can meet: those that break them first, then as the plan goes."""
    names = _renamed(old, new)
    found = chain(
        _fields(_by_name(old.columns), _by_name(new.columns), "column", names),
        _undeclared(old, new, names),
        _sources(old, new, names),
        _partitions(old, new),
        _places(old, new),
    )
    return tuple(sorted(found, key=lambda change: not change.breaking))


def _by_name(fields: Sequence[Field], within: str = "") -> dict[str, Field]:
    return {f"{within}{field.name}": field for field in fields}


def _all(plan: Plan) -> dict[str, Source]:
    return {source.name: source for source in (plan.spec.driver, *plan.spec.lookups)}


def _renamed(old: Plan, new: Plan) -> dict[str, str]:
    """New names of sources to old ones; a block of the same connector and options is the same source."""
    before, after = _all(old), _all(new)
    names = {name: name for name in before if name in after}
    for name in (name for name in after if name not in before):
        same = (other for other in before if other not in after and _alike(before[other], after[name]))
        if found := next((other for other in same if other not in names.values()), None):
            names[name] = found
    return names


def _alike(one: Source, other: Source) -> bool:
    return (one.connector.name, one.options, one.join) == (other.connector.name, other.options, other.join)


def _fields(
    old: Mapping[str, Field], new: Mapping[str, Field], what: str, names: Mapping[str, str]
) -> Iterator[Change]:
    for name in (name for name in old if name not in new):
        yield Change(kind=f"{what}-removed", name=name, before=_typed(old[name]), breaking=True)
    for name, field in new.items():
        if name not in old:
            yield Change(kind=f"{what}-added", name=name, after=_typed(field), breaking=what != "column")
        else:
            yield from _field(name, old[name], field, what, names)


def _typed(field: Field) -> str:
    return str(field.type or "known only at run time")


def _field(name: str, old: Field, new: Field, what: str, names: Mapping[str, str]) -> Iterator[Change]:
    if old.fields and new.fields:
        within = f"{name}."
        yield from _fields(_by_name(old.fields, within), _by_name(new.fields, within), what, names)
    else:
        kinds = (_typed(old), _typed(new))
        yield from _turn(f"{what}-type", name, *kinds, breaking=not _grown(old.type, new.type))
    if old.nullable != new.nullable:
        word = "loosened" if new.nullable else "tightened"
        yield from _turn(f"{what}-{word}", name, _null(old), _null(new), breaking=new.nullable)
    elif old.default != new.default:
        texts = {"before": _default(old), "after": _default(new)}
        yield Change(kind=f"{what}-default", name=name, **texts, breaking=True)
    source, dot, place = new.origin.partition(".")
    if old.origin != f"{names.get(source, source)}{dot}{place}":
        yield from _turn(f"{what}-origin", name, old.origin, new.origin, breaking=True)


def _turn(kind: str, name: str, before: str | None, after: str | None, *, breaking: bool) -> Iterator[Change]:
    """One change, where there is any."""
    if before != after:
        yield Change(kind=kind, name=name, before=before, after=after, breaking=breaking)


def _null(field: Field) -> str:
    return "can be null" if field.nullable else "never null"


def _default(field: Field) -> str | None:
    return None if field.default is None else excerpt(str(field.default))


def _grown(old: Type | None, new: Type | None) -> bool:
    """Whether a type says more or has more fields, so that what read the old one reads the new one."""
    if old is None or old == new:
        return True
    if new is None:
        return False
    parts = dict(new.fields)
    nested = old.word == new.word and bool(old.fields)
    return nested and all(name in parts and _grown(kind, parts[name]) for name, kind in old.fields)


def _undeclared(old: Plan, new: Plan, names: Mapping[str, str]) -> Iterator[Change]:
    for name in new.undeclared:
        if name in names and names[name] not in old.undeclared:
            yield Change(kind="columns-undeclared", name=name, breaking=True)
    for name, before in names.items():
        if before in old.undeclared and name not in new.undeclared:
            yield Change(kind="columns-declared", name=name, breaking=False)


def _sources(old: Plan, new: Plan, names: Mapping[str, str]) -> Iterator[Change]:
    before, after = _all(old), _all(new)
    for name in (name for name in before if name not in names.values()):
        gone = before[name].join
        breaking = gone is None or gone.shape == "rows" or name in old.undeclared
        yield Change(kind="source-removed", name=name, before=_told(gone), breaking=breaking)
    for name, source in after.items():
        if name in names:
            yield from _source(name, before[names[name]], source)
        else:
            told = _told(source.join)
            yield Change(kind="source-added", name=name, after=told, breaking=_cuts(source))


def _source(name: str, old: Source, new: Source) -> Iterator[Change]:
    yield from _turn("source-renamed", name, old.name, new.name, breaking=False)
    yield from _turn("source-connector", name, old.connector.name, new.connector.name, breaking=False)
    if old.join and new.join:
        yield from _join(name, old.join, new.join)
    else:
        yield from _turn("driver", name, _told(old.join), _told(new.join), breaking=True)
    windows = (str(source.window) if source.window else None for source in (old, new))
    yield from _turn("join-window", name, *windows, breaking=True)


def _told(join: Join | None) -> str:
    return "drives" if join is None else str(join)


def _cuts(source: Source) -> bool:
    """Whether a new source changes which rows there are."""
    join = source.join
    if join is None or join.shape == "rows" or join.missing in LEAVES_OUT:
        return True
    return join.shape == "columns" and any(column.required for column in source.columns or ())


def _join(name: str, old: Join, new: Join) -> Iterator[Change]:
    fewer = new.missing in LEAVES_OUT and old.missing not in LEAVES_OUT
    yield from _turn("join-on", name, old.pairs, new.pairs, breaking=True)
    yield from _turn("join-as", name, old.shape, new.shape, breaking=True)
    yield from _turn("join-missing", name, old.miss, new.miss, breaking=fewer)
    yield from _turn(
        "join-duplicates", name, old.duplicates, new.duplicates, breaking=old.duplicates != "fail"
    )


def _partitions(old: Plan, new: Plan) -> Iterator[Change]:
    before, after = _by_name(old.partitions), _by_name(new.partitions)
    yield from _fields(before, after, "partition", {})
    if before.keys() == after.keys():
        orders = (", ".join(before), ", ".join(after))
        yield from _turn("partition-order", new.layout, *orders, breaking=True)


def _places(old: Plan, new: Plan) -> Iterator[Change]:
    one, other = old.spec, new.spec
    words = (one.sink.connector.name, other.sink.connector.name)
    yield from _turn("sink-connector", "sink", *words, breaking=True)
    yield from _turn("sink-path", "sink", old.sink_path, new.sink_path, breaking=True)
    paths = (spec.quarantine.path if spec.quarantine else None for spec in (one, other))
    yield from _turn("quarantine-path", "quarantine", *paths, breaking=False)
