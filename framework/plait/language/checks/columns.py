"""Each column takes what its source can give, as its type and its default say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.language.build import known_fields
from plait.language.checks.references import unknown_fields_of_joins
from plait.language.checks.registry import check
from plait.language.checks.subject import level_of_unknown_field, path_of
from plait.language.finding import Finding
from plait.language.forms import OBJECT_FACTS
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for, nearest
from plait.values.decode import ANY, BINARY, FIELDS, PLAIN, STEPS, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.source_map import KeyPath
    from plait.language.spec import Column, Source
    from plait.values.types import Type

FACT_TYPES = {"$object": "string", "$modified": "timestamp", "$etag": "string"}


def _columns(subject: Subject) -> Iterator[tuple[Source, Column, KeyPath]]:
    for source in subject.sources:
        for column in source.columns or ():
            yield source, column, (*path_of(source), "columns", column.name)


def _at_origin(subject: Subject, path: KeyPath, message: str, help: str | None, **more: Any) -> Finding:
    """A finding where a column says what it takes: at its `from`, else at its own name."""
    if subject.writes((*path, "from")):
        return Finding((*path, "from"), message, help, **more)
    return Finding(path, message, help, at="key", **more)


def _at_type(subject: Subject, path: KeyPath, message: str, help: str | None) -> Finding:
    return Finding((*path, "type") if subject.writes((*path, "type")) else path, message, help)


@check("missing-columns")
def missing_columns(subject: Subject) -> Iterator[Finding]:
    """What is written, and of which types, stands in the spec."""
    for source in subject.sources:
        if source.columns is None:
            message = f"{excerpt(source.name)} has no `columns`, so the types of its rows are not known"
            yield Finding(path_of(source), message, "write the block that `plait guess` prints", at="key")


@check("no-columns")
def no_columns(subject: Subject) -> Iterator[Finding]:
    """Parquet has no rows without columns, and no structs without fields."""
    help = "name a column"
    for source in subject.sources:
        if source.columns == () and not (source.join and source.join.shape == "columns"):
            message = "records without a column cannot be written, nor told from each other"
            if source is subject.spec.driver:
                message = "the driving source gives no column, so nothing can be joined to it"
            yield Finding((*path_of(source), "columns"), message, help)
    row = subject.row
    partitions = {partition.name for partition in subject.spec.partition_by}
    if not row.open and row.types and row.types.keys() <= partitions:
        message = "every column is a partition column, so the files would have none"
        yield Finding(("partition_by",), message, "leave out one of them, or give it another name", at="key")


@check("object-fact")
def object_fact(subject: Subject) -> Iterator[Finding]:
    """`$object`, `$modified` and `$etag` are known of the driving object alone."""
    for source, column, path in _columns(subject):
        if column.origin in OBJECT_FACTS and source is not subject.spec.driver:
            message = f"`{column.origin}` is known of the driving object only"
            yield Finding((*path, "from"), message, "take it in the driving source")


@check("unknown-field")
def unknown_field(subject: Subject) -> Iterator[Finding]:
    """A column or join takes a field that the source does not have, as its pattern or a decode step tells."""
    yield from unknown_fields_of_joins(subject)
    for source, column, path in _columns(subject):
        field, place = column.selector[0], column.selector[1:]
        last = (source.decode.get(str(field)) or (None,))[-1]
        if column.origin in OBJECT_FACTS:
            continue
        if _is_unknown(source, column):
            known = known_fields(source) or ()
            help = help_for(str(field), known, "field", None)
            if not subject.writes((*path, "from")) and (meant := nearest(str(field), known)):
                help = f"did you mean `{column.name}: {{type: {column.type}, from: {meant}}}`?"
            message = f"no field of {excerpt(source.name)} is called {excerpt(field)}"
            yield _at_origin(subject, path, message, help, level=level_of_unknown_field(source))
        elif last and STEPS[last.word].gives == FIELDS and place and place[0] not in last.argument.names:
            message = f"the `{last.word}` of {excerpt(field)} gives no field {excerpt(place[0])}"
            yield _at_origin(
                subject, path, message, help_for(str(place[0]), last.argument.names, "field", None)
            )


def _is_unknown(source: Source, column: Column) -> bool:
    known = known_fields(source)
    return known is not None and column.selector[0] not in known


@check("wrong-column-type")
def wrong_column_type(subject: Subject) -> Iterator[Finding]:
    """The type is none that the value can have: base64 gives binary, `epoch` and `$modified` a timestamp, a pattern fields."""
    within: set[tuple[str, str]] = set()
    for source, column, path in _columns(subject):
        if column.origin in OBJECT_FACTS:
            word = FACT_TYPES[column.origin]
            if source is subject.spec.driver and column.type.word != word:
                message = f"`{column.origin}` is a {word}, and the column is `{column.type}`"
                yield Finding((*path, "type"), message, f"write `type: {word}`")
        elif not _is_unknown(source, column):
            field, place = str(column.selector[0]), column.selector[1:]
            if place and (source.name, field) in within:
                continue
            yield from _problem_of_decoded(subject, source, column, path)
            within |= {(source.name, field)} if place else set()


def _problem_of_decoded(subject: Subject, source: Source, column: Column, path: KeyPath) -> Iterator[Finding]:
    """Why a column cannot have what the last decode step gives, or the connector without steps."""
    field, place = column.selector[0], column.selector[1:]
    last = (source.decode.get(str(field)) or (None,))[-1]
    value = STEPS[last.word].gives if last else ANY if source.role.gives_binary else PLAIN
    gives = f"`{last.word}` gives {value}" if last else ""
    fitting = {BINARY: "binary", TIME: "timestamp", FIELDS: "struct"}.get(value)
    if place and value in (BINARY, TIME):
        help = "add the step `json`" if value == BINARY else f"take it whole, as in `from: {field}`"
        yield _at_origin(subject, path, f"{gives}, and nothing stands within that", help)
    elif not place and fitting and column.type.word != fitting:
        help = f"write the type `{fitting}`"
        if last and value == FIELDS:
            help = f"take one, as in `from: {field}.{last.argument.names[0]}`"
        yield _at_type(subject, path, f"{gives}, and the column is `{column.type}`", help)
    elif not place and value == PLAIN and column.type.word == "binary":
        message = f"`{'json' if last else source.connector.name}` gives no binary, and the column is `binary`"
        yield _at_type(subject, path, message, f"decode text: `decode: {{{field}: [base64]}}`")


@check("required-default")
def required_default(subject: Subject) -> Iterator[Finding]:
    """A required column is never null, so nothing is left for its default."""
    for _, column, path in _columns(subject):
        if column.required and column.default is not None:
            message = "a required column is never null, so its `default` stands for nothing"
            yield Finding((*path, "default"), message, "remove `required` or `default`", at="key")


@check("wrong-default")
def wrong_default(subject: Subject) -> Iterator[Finding]:
    """The default is no value of the column's type."""
    for source, column, path in _columns(subject):
        if column.default is not None and not column.required:
            block = subject.block(source)["columns"][column.name]
            yield from _unknown_fields(block["default"], column.type, (*path, "default"))


def _unknown_fields(value: Any, kind: Type, path: KeyPath) -> Iterator[Finding]:
    """Each field of a default that its type does not have, since it would be lost."""
    if kind.word == "array" and isinstance(value, list):
        for position, element in enumerate(value):
            yield from _unknown_fields(element, kind.fields[0][1], (*path, position))
    elif kind.word == "struct" and isinstance(value, dict):
        fields = dict(kind.fields)
        for name, part in value.items():
            if name in fields:
                yield from _unknown_fields(part, fields[name], (*path, name))
            else:
                message = f"the type of the column has no field {excerpt(name)}"
                yield Finding((*path, name), message, help_for(name, fields, "field", None), at="key")
