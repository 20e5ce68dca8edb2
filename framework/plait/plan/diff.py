"""Compare two plans of one lake: what changes, and whether it breaks those who read the lake. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from plait.problems.problem import excerpt
from plait.values.places import only_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.language.spec import Join, Source
    from plait.plan.plan import Field, Plan
    from plait.values.types import Type

LEAVES_ROWS_OUT = ("drop", "fail")


class Change(Struct, frozen=True, rename={"kind": "change"}):
    """One change: a phrase such as `column-removed`, the name affected, its old and its new value."""

    kind: str
    name: str
    before: str | None
    after: str | None
    breaking: bool


def changes(old: Plan, new: Plan) -> tuple[Change, ...]:
    """All changes that readers of the lake can notice: breaking ones first, then in the order of the plan."""
    old_names = _old_names(old, new)
    differences = [
        *_changed_fields(_by_name(old.columns), _by_name(new.columns), "column", old_names),
        *_changed_sources(_sources(old), _sources(new), old_names),
        *_changed_fields(_by_name(old.partitions), _by_name(new.partitions), "partition", {}),
        *_changed_places(old, new),
    ]
    # Two long defaults may be cut to one text.
    changed = (c for c in differences if c.before != c.after or c.kind.endswith("-default"))
    return tuple(sorted(changed, key=lambda change: not change.breaking))


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
        yield Change(f"{what}-removed", name, str(old[name].type), None, breaking=True)
    for name, field in new.items():
        if name not in old:
            yield Change(f"{what}-added", name, None, str(field.type), breaking=what != "column")
        else:
            yield from _changed_field(name, old[name], field, what, old_names)


def _changed_field(
    name: str, old: Field, new: Field, what: str, old_names: Mapping[str, str]
) -> Iterator[Change]:
    if old.fields and new.fields:
        within = f"{name}."
        yield from _changed_fields(
            _by_name(old.fields, within), _by_name(new.fields, within), what, old_names
        )
    else:
        breaks = not _extends(old.type, new.type)
        yield Change(f"{what}-type", name, str(old.type), str(new.type), breaking=breaks)
    if old.nullable != new.nullable:
        texts = ("never null", "can be null") if new.nullable else ("can be null", "never null")
        yield Change(f"{what}-{'loosened' if new.nullable else 'tightened'}", name, *texts, new.nullable)
    elif old.default != new.default:
        yield Change(f"{what}-default", name, _default_text(old), _default_text(new), breaking=True)
    source, dot, place = new.origin.partition(".")
    if old.origin != f"{old_names.get(source, source)}{dot}{place}":
        yield Change(f"{what}-origin", name, old.origin, new.origin, breaking=True)


def _default_text(field: Field) -> str | None:
    return None if field.default is None else excerpt(str(field.default))


def _extends(old: Type, new: Type) -> bool:
    """Whether a type has more fields, so that what read the old type reads the new one."""
    parts = {(name, origin): kind for name, origin, kind in new.places}
    kinds = [(kind, parts.get((name, origin))) for name, origin, kind in old.places]
    nested = old.word == new.word and bool(old.fields)
    return old == new or (nested and all(other and _extends(kind, other) for kind, other in kinds))


def _changed_sources(
    before: Mapping[str, Source], after: Mapping[str, Source], old_names: Mapping[str, str]
) -> Iterator[Change]:
    for name in (name for name in before if name not in old_names.values()):
        join = before[name].join
        breaks = join is None or join.shape == "rows"
        yield Change("source-removed", name, _join_text(join), None, breaking=breaks)
    for name, source in after.items():
        if name in old_names:
            yield from _changed_source(name, before[old_names[name]], source)
        else:
            breaks = _changes_which_rows(source)
            yield Change("source-added", name, None, _join_text(source.join), breaking=breaks)


def _changed_source(name: str, old: Source, new: Source) -> Iterator[Change]:
    yield Change("source-renamed", name, old.name, new.name, breaking=False)
    yield Change("source-connector", name, old.connector.name, new.connector.name, breaking=False)
    if old.join and new.join:
        yield from _changed_join(name, old.join, new.join)
    else:
        yield Change("driver", name, _join_text(old.join), _join_text(new.join), breaking=True)
    if not old.join and not new.join:
        record, new_record = (
            f"each {source.open_driver().position_word or 'object'}" for source in (old, new)
        )
        yield Change("driver-records", name, record, new_record, breaking=True)
        yield Change("driver-only", name, only_text(old.only), only_text(new.only), breaking=True)
    before, after = (str(source.window) if source.window else None for source in (old, new))
    yield Change("join-window", name, before, after, breaking=True)


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
    yield Change("join-on", name, old.pairs_text, new.pairs_text, breaking=True)
    yield Change("join-as", name, old.shape, new.shape, breaking=True)
    yield Change("join-missing", name, old.missing_text, new.missing_text, breaking=fewer)
    fails = old.duplicates == "fail"
    yield Change("join-duplicates", name, old.duplicates, new.duplicates, breaking=not fails)


def _changed_places(old: Plan, new: Plan) -> Iterator[Change]:
    """Changes of the order of folders, of the sink and of the quarantine."""
    before, after = ([partition.name for partition in plan.partitions] for plan in (old, new))
    if {*before} == {*after}:
        yield Change("partition-order", new.layout, ", ".join(before), ", ".join(after), breaking=True)
    words = (old.spec.sink.connector.name, new.spec.sink.connector.name)
    yield Change("sink-connector", "sink", *words, breaking=True)
    yield Change("sink-path", "sink", old.sink_path, new.sink_path, breaking=True)
    table, new_table = (None if plan.table is None else str(plan.table) for plan in (old, new))
    yield Change("sink-table", "sink", table, new_table, breaking=table is not None)
    if table and new_table:
        word, new_word = ("register" if plan.projection is None else "projection" for plan in (old, new))
        yield Change("sink-partitions", "sink", word, new_word, breaking=new.projection is not None)
    path, new_path = (spec.quarantine.path if spec.quarantine else None for spec in (old.spec, new.spec))
    yield Change("quarantine-path", "quarantine", path, new_path, breaking=False)
