"""Each column that a join, a path, a window or a partition names is one of the row, of a type that fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from plait.language.build import blockers, known_fields
from plait.language.checks.registry import check
from plait.language.checks.subject import describe, path_of
from plait.language.finding import Finding
from plait.language.yaml_writer import flow_yaml
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values.types import INTEGERS, NESTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Row, Subject
    from plait.language.source_map import KeyPath
    from plait.language.spec import Source
    from plait.values.types import Type

KEY_FAMILIES = {
    **dict.fromkeys((*INTEGERS, "decimal", "float", "double"), "number"),
    **dict.fromkeys(("date", "timestamp"), "time"),
    "boolean": "boolean",
    "binary": "binary",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class NeededColumn:
    """A place that names a column of the row by which a look-up is asked."""

    source: Source
    name: str
    use: Literal["on", "path", "around"]
    path: KeyPath
    at: Literal["key", "value"] = "value"
    part: str | None = None

    def finding(self, message: str, help: str) -> Finding:
        """A finding at this place."""
        return Finding(self.path, message, help, at=self.at, part=self.part)


def _needed_columns(subject: Subject) -> Iterator[NeededColumn]:
    """Each place of a look-up that names a column of the row by which it is asked."""
    for source in subject.spec.lookups:
        path, block = path_of(source), subject.block(source)
        at: Literal["key", "value"] = "key" if isinstance(block["join"]["on"], dict) else "value"
        for column, _ in source.join.on if source.join else ():
            yield NeededColumn(source, column, "on", _path_in_on(subject, source, column), at)
        for name in source.row_columns:
            place, part = _place_in_options(source, block, name)
            yield NeededColumn(source, name, "path", (*path, *place), part=part)
        if source.window:
            yield NeededColumn(source, source.window.column, "around", (*path, "window", "around"))


def _place_in_options(source: Source, block: Any, name: str) -> tuple[KeyPath, str | None]:
    """Where an option of a look-up names a column of the row: in braces within a text, or as a value of a mapping."""
    part = f"{{{name}}}"
    for option in filter(block.__contains__, source.options.__struct_fields__):
        value = block[option]
        if isinstance(value, str) and part in value:
            return (option,), part
        if isinstance(value, dict) and name in value.values():
            return (option, next(key for key in value if value[key] == name)), None
    return ("connector",), part


def _path_in_on(subject: Subject, source: Source, column: str) -> KeyPath:
    """Where `on` names a column of the row, and the field that equals it."""
    on, path = subject.block(source)["join"]["on"], (*path_of(source), "join", "on")
    if isinstance(on, list):
        return (*path, on.index(column))
    return (*path, column) if isinstance(on, dict) else path


@check("unknown-column")
def unknown_column(subject: Subject) -> Iterator[Finding]:
    """A join, path, window or partition names a column that the row does not have."""
    row = subject.row
    findings: dict[str, list[Finding]] = {}
    for needed in _needed_columns(subject):
        help = _swapped_help(row, needed) or row.help_for_column(needed.name, needed.source.name)
        if needed.use == "on" and help.startswith(("one of", "write")):
            help = f"{help}, or declare it in the columns of {excerpt(subject.spec.driver.name)}"
        findings.setdefault(needed.name, []).append(needed.finding("", help))
    for partition in subject.spec.partition_by:
        path, help = ("partition_by", partition.name), row.help_for_column(partition.column)
        findings.setdefault(partition.column, []).append(Finding(path, "", help, part=partition.column))
    for name, (first, *others) in findings.items():
        if row.lacks(name):
            message = f"no column of the row is called {excerpt(name)}"
            yield replace(first, message=message, also_at=tuple(other.path for other in others))


def _swapped_help(row: Row, needed: NeededColumn) -> str | None:
    """Suggest to swap column and field, if the field is a column of the row."""
    field = dict(needed.source.join.on).get(needed.name) if needed.source.join else None
    if field not in row.types or any(edited_once(needed.name, column) for column in row.types):
        return None
    return f"the column comes first: did you mean `{flow_yaml({field: needed.name})[:60]}`?"


@check("own-column")
def own_column(subject: Subject) -> Iterator[Finding]:
    """A look-up cannot be found by a column that it brings itself."""
    for needed in _needed_columns(subject):
        name = needed.source.name
        if subject.row.givers.get(needed.name) == name:
            message = f"{excerpt(needed.name)} comes from {excerpt(name)} itself, so it cannot find it"
            yield needed.finding(message, subject.row.help_for_column("", name))


@check("not-a-time")
def not_a_time(subject: Subject) -> Iterator[Finding]:
    """A window lies around a timestamp of the row."""
    for needed in _needed_columns(subject):
        kind = subject.row.types.get(needed.name)
        if needed.use == "around" and kind and kind.word != "timestamp":
            message = f"a window lies around a timestamp, and {excerpt(needed.name)} is {describe(kind)}"
            giver = excerpt(subject.row.givers[needed.name])
            yield needed.finding(message, f"declare `{needed.name}: timestamp` in {giver}")


@check("nested-key")
def nested_key(subject: Subject) -> Iterator[Finding]:
    """A list, map or struct is no key, and binary fills no path."""
    for needed in _needed_columns(subject):
        name, kind = excerpt(needed.name), subject.row.types.get(needed.name)
        if kind and kind.word in NESTED and needed.use != "around":
            message = f"{name} is {describe(kind)}, which is no key"
            yield needed.finding(message, "choose a column that holds one value")
        elif kind and kind.word == "binary" and needed.use == "path":
            message = f"{name} is binary, which cannot fill a path"
            yield needed.finding(message, "choose a column of text or numbers")


def fields_of_joins(subject: Subject) -> Iterator[tuple[Source, str, str, KeyPath]]:
    """Each look-up with a column that its `on` names, the field that equals it, and where that is named."""
    for source in subject.spec.lookups:
        for column, field in source.join.on if source.join else ():
            if not subject.row.lacks(column):
                yield source, column, field, _path_in_on(subject, source, column)


def unknown_fields_of_joins(subject: Subject) -> Iterator[Finding]:
    """Each field that an `on` names and the source does not have."""
    for source, column, field, path in fields_of_joins(subject):
        known = known_fields(source)
        if known is not None and field not in known:
            help = help_for(field, known, "field", None)
            if column == field and (meant := nearest(field, known)):
                help = f"did you mean `{{{column}: {meant}}}`?"
            message = f"no field of {excerpt(source.name)} is called {excerpt(field)}"
            yield Finding(path, message, help, level="warning" if source.role.offline else None)


@check("key-types")
def key_types(subject: Subject) -> Iterator[Finding]:
    """The column and the field of a join have types whose values are never equal."""
    for source, column, field, path in fields_of_joins(subject):
        declared = next((other for other in source.columns or () if other.selector == (field,)), None)
        kind = subject.row.types.get(column)
        if declared is None or kind is None or subject.row.givers[column] == source.name:
            continue
        is_decoded = any((field,) == decoding.place.steps for decoding in source.decode)
        if kind.word not in NESTED and not is_decoded and not _can_be_equal(kind, declared.type):
            line = subject.line((*path_of(source), "columns", declared.name))
            text = f"the field {excerpt(field)} of {excerpt(source.name)}, which is `{declared.type}`"
            message = f"{excerpt(column)} is {describe(kind)} and never equals {text}"
            yield Finding(path, message, "declare both alike", f"declared at line {line}")


def _can_be_equal(kind: Type, other: Type) -> bool:
    families = {KEY_FAMILIES.get(kind.word), KEY_FAMILIES.get(other.word)}
    return len(families) == 1 or ("text" in families and not families & {"binary", None})


@check("join-cycle")
def join_cycle(subject: Subject) -> Iterator[Finding]:
    """Look-ups that wait for columns of each other."""
    waiting = {source.name: source for source in subject.spec.lookups}
    while ready := [name for name, source in waiting.items() if not blockers(source, waiting.values())]:
        waiting = {name: source for name, source in waiting.items() if name not in ready}
    if not waiting:
        return
    waits = {name: next(iter(blockers(source, waiting.values()).items())) for name, source in waiting.items()}
    chain = [next(iter(waiting))]
    while (following := waits[chain[-1]][0]) not in chain:
        chain.append(following)
    ring = chain[chain.index(following) :]
    start = ring.index(min(ring, key=[*waiting].index))
    ring = ring[start:] + ring[:start]
    texts = [
        f"{excerpt(name)} waits for {excerpt(waits[name][1])} of {excerpt(waits[name][0])}" for name in ring
    ]
    help = f"join one of them on a column of {excerpt(subject.spec.driver.name)}"
    for needed in _needed_columns(subject):
        if needed.source.name == ring[0] and needed.name == waits[ring[0]][1]:
            yield needed.finding(f"look-ups wait for each other: {', and '.join(texts[:4])}", help)
            return
