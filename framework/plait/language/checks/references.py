"""Each column that a join, a path, a window or a partition names is one of the row, of a type that fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from plait.language.build import known_fields
from plait.language.checks.registry import check
from plait.language.checks.subject import describe, level_of_unknown_field, path_of
from plait.language.finding import Finding
from plait.language.wording import flow_style
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values.types import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.source_map import KeyPath
    from plait.language.spec import Source
    from plait.values.types import Type

NESTED = ("array", "struct")
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

    name: str
    use: Literal["on", "path", "around"]
    path: KeyPath
    at: Literal["key", "value"] = "value"
    part: str | None = None


def places_of_needed(subject: Subject, source: Source) -> Iterator[NeededColumn]:
    """Each place of a look-up that names a column of the row by which it is asked."""
    path, block = path_of(source), subject.block(source)
    on = block["join"]["on"]
    for column, _ in source.join.on if source.join else ():
        is_key = isinstance(on, dict)
        yield NeededColumn(column, "on", _path_in_on(subject, source, column), "key" if is_key else "value")
    for name in source.row_columns:
        part = f"{{{name}}}"
        keys = (key for key, value in block.items() if isinstance(value, str) and part in value)
        yield NeededColumn(name, "path", (*path, next(keys, "connector")), part=part)
    if source.window:
        yield NeededColumn(source.window.column, "around", (*path, "window", "around"))


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
    for source in subject.spec.lookups:
        for needed in places_of_needed(subject, source):
            if row.lacks(needed.name):
                help = _swapped_help(subject, source, needed.name)
                help = help or row.help_for_column(needed.name, source.name)
                finding = Finding(needed.path, "", help, at=needed.at, part=needed.part)
                findings.setdefault(needed.name, []).append(finding)
    for partition in subject.spec.partition_by:
        name = partition.column
        if row.lacks(name):
            finding = Finding(("partition_by", partition.name), "", row.help_for_column(name), part=name)
            findings.setdefault(name, []).append(finding)
    for name, places in findings.items():
        spans = {subject.span(place.path, place.at, place.part): place for place in places}
        first = min(spans)
        lines = sorted({span.line for span in spans} - {first.line})
        note = f"also at line {', '.join(map(str, lines[:8]))}" if lines else None
        message, place = f"no column of the row is called {excerpt(name)}", spans[first]
        yield Finding(place.path, message, place.help, note, place.at, place.part)


def _swapped_help(subject: Subject, source: Source, name: str) -> str | None:
    """Suggest to swap column and field, if the field is a column of the row."""
    on, types = subject.block(source)["join"]["on"], subject.row.types
    if any(edited_once(name, column) for column in types):
        return None
    if isinstance(on, dict) and on.get(name) in types:
        return f"the column comes first: did you mean `{flow_style({on[name]: name})[:60]}`?"
    return None


@check("own-column")
def own_column(subject: Subject) -> Iterator[Finding]:
    """A look-up cannot be found by a column that it brings itself."""
    for source in subject.spec.lookups:
        for needed in places_of_needed(subject, source):
            if subject.row.givers.get(needed.name) == source.name:
                message = (
                    f"{excerpt(needed.name)} comes from {excerpt(source.name)} itself, so it cannot find it"
                )
                help = subject.row.help_for_column("", source.name)
                yield Finding(needed.path, message, help, at=needed.at, part=needed.part)


@check("not-a-time")
def not_a_time(subject: Subject) -> Iterator[Finding]:
    """A window lies around a timestamp of the row."""
    for source in subject.spec.lookups:
        if source.window is None or subject.row.givers.get(source.window.column) == source.name:
            continue
        name, path = source.window.column, (*path_of(source), "window", "around")
        kind = subject.row.types.get(name)
        if kind is not None and kind.word != "timestamp":
            message = f"a window lies around a timestamp, and {excerpt(name)} is {describe(kind)}"
            yield Finding(
                path, message, f"declare `{name}: timestamp` in {excerpt(subject.row.givers[name])}"
            )


@check("nested-key")
def nested_key(subject: Subject) -> Iterator[Finding]:
    """A list or struct is no key, and binary fills no path."""
    for source in subject.spec.lookups:
        for needed in places_of_needed(subject, source):
            name, kind = needed.name, subject.row.types.get(needed.name)
            if kind is None or needed.use == "around" or subject.row.givers[name] == source.name:
                continue
            if kind.word in NESTED:
                message = f"{excerpt(name)} is {describe(kind)}, which is no key"
                help = "choose a column that holds one value"
            elif kind.word == "binary" and needed.use == "path":
                message = f"{excerpt(name)} is binary, which cannot fill a path"
                help = "choose a column of text or numbers"
            else:
                continue
            yield Finding(needed.path, message, help, at=needed.at, part=needed.part)


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
            yield Finding(path, message, help, level=level_of_unknown_field(source))


@check("decoded-key")
def decoded_key(subject: Subject) -> Iterator[Finding]:
    """A field that a join asks by is compared as the source has it, so it cannot be decoded."""
    for source, _, field, _ in fields_of_joins(subject):
        if field in source.decode:
            message = f"{excerpt(field)} is asked for as it stands in the source, so it cannot be decoded"
            yield Finding((*path_of(source), "decode", field), message, "join on another field", at="key")


@check("key-types")
def key_types(subject: Subject) -> Iterator[Finding]:
    """The column and the field of a join have types whose values are never equal."""
    for source, column, field, path in fields_of_joins(subject):
        declared = next((other for other in source.columns or () if other.selector == (field,)), None)
        kind = subject.row.types.get(column)
        if declared is None or kind is None or subject.row.givers[column] == source.name:
            continue
        if kind.word in NESTED or field in source.decode or _can_be_equal(kind, declared.type):
            continue
        line = subject.line((*path_of(source), "columns", declared.name))
        text = f"the field {excerpt(field)} of {excerpt(source.name)}"
        message = f"{excerpt(column)} is {describe(kind)} and never equals {text}, which is `{declared.type}`"
        yield Finding(path, message, "declare both alike", f"declared at line {line}")


def _can_be_equal(kind: Type, other: Type) -> bool:
    families = {KEY_FAMILIES.get(kind.word), KEY_FAMILIES.get(other.word)}
    return len(families) == 1 or ("text" in families and not families & {"binary", None})
