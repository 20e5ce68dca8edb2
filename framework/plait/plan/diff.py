"""Compare two plans of one lake: what changes, and whether it breaks those who read the lake. Pure."""

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

LEAVES_ROWS_OUT = ("drop", "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: a phrase such as `column-removed`, the name affected, its old and its new value."""

    kind: str
    name: str
    before: str | None = None
    after: str | None = None
    breaking: bool


def changes(old: Plan, new: Plan) -> tuple[Change, ...]:
    """All changes that readers of the lake can notice: breaking ones first, then in the order of the plan."""
    old_names = _old_names(old, new)
    differences = chain(
        _changed_fields(_by_name(old.columns), _by_name(new.columns), "column", old_names),
        _changed_sources(old, new, old_names),
        _changed_partitions(old, new),
        _changed_paths(old, new),
    )
    return tuple(sorted(differences, key=lambda change: not change.breaking))


def _by_name(fields: Sequence[Field], within: str = "") -> dict[str, Field]:
    return {f"{within}{field.name}": field for field in fields}


def _sources(plan: Plan) -> dict[str, Source]:
    return {source.name: source for source in (plan.spec.driver, *plan.spec.lookups)}


def _old_names(old: Plan, new: Plan) -> dict[str, str]:
    """The old name of each source by its new one; a block of the same connector and options is the same source."""
    before, after = _sources(old), _sources(new)
    names = {name: name for name in before if name in after}
    for name in (name for name in after if name not in before):
        same = (other for other in before if other not in after and _is_same(before[other], after[name]))
        if old_name := next((other for other in same if other not in names.values()), None):
            names[name] = old_name
    return names


def _is_same(old: Source, new: Source) -> bool:
    return (old.connector.name, old.options, old.join) == (new.connector.name, new.options, new.join)


def _changed_fields(
    old: Mapping[str, Field], new: Mapping[str, Field], what: str, old_names: Mapping[str, str]
) -> Iterator[Change]:
    """Changes of columns or partitions; `what` begins the phrase of each."""
    for name in (name for name in old if name not in new):
        yield Change(kind=f"{what}-removed", name=name, before=_type_text(old[name]), breaking=True)
    for name, field in new.items():
        if name not in old:
            after = _type_text(field)
            yield Change(kind=f"{what}-added", name=name, after=after, breaking=what != "column")
        else:
            yield from _changed_field(name, old[name], field, what, old_names)


def _type_text(field: Field) -> str:
    return str(field.type)


def _changed_field(
    name: str, old: Field, new: Field, what: str, old_names: Mapping[str, str]
) -> Iterator[Change]:
    if old.fields and new.fields:
        within = f"{name}."
        before, after = _by_name(old.fields, within), _by_name(new.fields, within)
        yield from _changed_fields(before, after, what, old_names)
    else:
        kinds = (_type_text(old), _type_text(new))
        yield from _change_if(f"{what}-type", name, *kinds, breaking=not _extends(old.type, new.type))
    if old.nullable != new.nullable:
        word = "loosened" if new.nullable else "tightened"
        texts = (_null_text(old), _null_text(new))
        yield from _change_if(f"{what}-{word}", name, *texts, breaking=new.nullable)
    elif old.default != new.default:
        before_text, after_text = _default_text(old), _default_text(new)
        kind = f"{what}-default"
        yield Change(kind=kind, name=name, before=before_text, after=after_text, breaking=True)
    source, dot, place = new.origin.partition(".")
    if old.origin != f"{old_names.get(source, source)}{dot}{place}":
        yield from _change_if(f"{what}-origin", name, old.origin, new.origin, breaking=True)


def _change_if(
    kind: str, name: str, before: str | None, after: str | None, *, breaking: bool
) -> Iterator[Change]:
    """A change, if the two values differ."""
    if before != after:
        yield Change(kind=kind, name=name, before=before, after=after, breaking=breaking)


def _null_text(field: Field) -> str:
    return "can be null" if field.nullable else "never null"


def _default_text(field: Field) -> str | None:
    return None if field.default is None else excerpt(str(field.default))


def _extends(old: Type, new: Type) -> bool:
    """Whether a type has more fields, so that what read the old type reads the new one."""
    if old == new:
        return True
    parts = dict(new.fields)
    nested = old.word == new.word and bool(old.fields)
    return nested and all(name in parts and _extends(kind, parts[name]) for name, kind in old.fields)


def _changed_sources(old: Plan, new: Plan, old_names: Mapping[str, str]) -> Iterator[Change]:
    before, after = _sources(old), _sources(new)
    for name in (name for name in before if name not in old_names.values()):
        join = before[name].join
        breaking = join is None or join.shape == "rows"
        yield Change(kind="source-removed", name=name, before=_join_text(join), breaking=breaking)
    for name, source in after.items():
        if name in old_names:
            yield from _changed_source(name, before[old_names[name]], source)
        else:
            text, breaking = _join_text(source.join), _changes_which_rows(source)
            yield Change(kind="source-added", name=name, after=text, breaking=breaking)


def _changed_source(name: str, old: Source, new: Source) -> Iterator[Change]:
    yield from _change_if("source-renamed", name, old.name, new.name, breaking=False)
    yield from _change_if("source-connector", name, old.connector.name, new.connector.name, breaking=False)
    if old.join and new.join:
        yield from _changed_join(name, old.join, new.join)
    else:
        yield from _change_if("driver", name, _join_text(old.join), _join_text(new.join), breaking=True)
    windows = (str(source.window) if source.window else None for source in (old, new))
    yield from _change_if("join-window", name, *windows, breaking=True)


def _join_text(join: Join | None) -> str:
    return "drives" if join is None else str(join)


def _changes_which_rows(source: Source) -> bool:
    """Whether adding a source can add rows or leave some out."""
    join = source.join
    if join is None or join.shape == "rows" or join.missing in LEAVES_ROWS_OUT:
        return True
    return join.shape == "columns" and any(column.required for column in source.columns or ())


def _changed_join(name: str, old: Join, new: Join) -> Iterator[Change]:
    fewer = new.missing in LEAVES_ROWS_OUT and old.missing not in LEAVES_ROWS_OUT
    yield from _change_if("join-on", name, old.pairs_text, new.pairs_text, breaking=True)
    yield from _change_if("join-as", name, old.shape, new.shape, breaking=True)
    yield from _change_if("join-missing", name, old.missing_text, new.missing_text, breaking=fewer)
    fails = old.duplicates == "fail"
    yield from _change_if("join-duplicates", name, old.duplicates, new.duplicates, breaking=not fails)


def _changed_partitions(old: Plan, new: Plan) -> Iterator[Change]:
    before, after = _by_name(old.partitions), _by_name(new.partitions)
    yield from _changed_fields(before, after, "partition", {})
    if before.keys() == after.keys():
        orders = (", ".join(before), ", ".join(after))
        yield from _change_if("partition-order", new.layout, *orders, breaking=True)


def _changed_paths(old: Plan, new: Plan) -> Iterator[Change]:
    """Changes of the sink and of the quarantine."""
    words = (old.spec.sink.connector.name, new.spec.sink.connector.name)
    yield from _change_if("sink-connector", "sink", *words, breaking=True)
    yield from _change_if("sink-path", "sink", old.sink_path, new.sink_path, breaking=True)
    paths = (spec.quarantine.path if spec.quarantine else None for spec in (old.spec, new.spec))
    yield from _change_if("quarantine-path", "quarantine", *paths, breaking=False)
