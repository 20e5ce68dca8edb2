"""Each column takes what its source and the decode steps of its field give, as its type and its default say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from plait.language.build import known_fields
from plait.language.checks.decoding import decoding_of
from plait.language.checks.references import unknown_fields_of_joins
from plait.language.checks.registry import check
from plait.language.checks.subject import path_of
from plait.language.finding import Finding
from plait.language.forms import OBJECT_FACTS
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for, nearest
from plait.values.decode import ANY, BINARY, DATE, FIELDS, PLAIN, SCALARS, TEXT, TIME
from plait.values.types import NESTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.source_map import KeyPath
    from plait.language.spec import Column, Source
    from plait.values.decode import Decoding, Step
    from plait.values.types import Type

FACT_TYPES = {"$object": "string", "$modified": "timestamp", "$etag": "string", "$position": "bigint"}

FITTING = {BINARY: ("binary",), TIME: ("timestamp",), DATE: ("date", "timestamp"), FIELDS: ("struct", "map")}


class Taking(NamedTuple):
    """A column, where it is written, the field that it takes, how that is decoded, and the place in what this gives."""

    source: Source
    column: Column
    path: KeyPath
    field: str
    decoding: Decoding | None
    place: tuple[str | int, ...]

    @property
    def step(self) -> Step | None:
        """The last step by which the value is decoded."""
        return self.decoding.steps[-1] if self.decoding else None

    @property
    def is_known(self) -> bool:
        """Whether the source may have the field."""
        known = known_fields(self.source)
        return known is None or self.field in known

    def finding(self, subject: Subject, key: str, message: str, help: str, **more: Any) -> Finding:
        """A finding at a key of the column, else at the column: at its name if it is about `from`."""
        if subject.writes((*self.path, key)):
            return Finding((*self.path, key), message, help, **more)
        return Finding(self.path, message, help, at="key" if key == "from" else "value", **more)


def _columns(subject: Subject) -> Iterator[Taking]:
    for source in subject.sources:
        for column in source.columns or ():
            selector = column.selector
            decoding = decoding_of(source, selector)
            place = selector[len(decoding.place.steps) if decoding else 1 :]
            path = (*path_of(source), "columns", column.name)
            yield Taking(source, column, path, str(selector[0]), decoding, place)


@check("missing-columns")
def missing_columns(subject: Subject) -> Iterator[Finding]:
    """What is written, and of which types, stands in the spec."""
    for source in subject.sources:
        if source.columns is None:
            message = f"{excerpt(source.name)} has no `columns`, so the types of its rows are not known"
            column = next(
                (name for name in known_fields(source) or () if name not in subject.row.types), "id"
            )
            help = f"write the block that `plait guess` prints, as in `columns: {{{column}: string}}`"
            yield Finding(path_of(source), message, help, at="key")


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
    """`$object`, `$modified`, `$etag` and `$position` are known of the driving object alone."""
    for source, column, path, *_ in _columns(subject):
        if column.origin in OBJECT_FACTS and source is not subject.spec.driver:
            message = f"`{column.origin}` is known of the driving object only"
            yield Finding((*path, "from"), message, "take it in the driving source")


@check("unknown-field")
def unknown_field(subject: Subject) -> Iterator[Finding]:
    """A column or join takes a field that the source does not have, as its pattern or a decode step tells."""
    yield from unknown_fields_of_joins(subject)
    for taking in _columns(subject):
        source, column, _, field, decoding, place = taking
        step = taking.step
        names = step.argument.names if step and step.gives == FIELDS else ()
        if column.origin not in OBJECT_FACTS and not taking.is_known:
            known = known_fields(source) or ()
            help = help_for(field, known, "field", None)
            if field == column.name and (meant := nearest(field, known)):
                help = f"did you mean `{column.name}: {{type: {column.type}, from: {meant}}}`?"
            message = f"no field of {excerpt(source.name)} is called {excerpt(field)}"
            level = "warning" if source.role.offline else None
            yield taking.finding(subject, "from", message, help, level=level)
        elif decoding and step and names and place and place[0] not in names:
            message = (
                f"the `{step.word}` of {excerpt(decoding.place.text)} gives no field {excerpt(place[0])}"
            )
            yield taking.finding(subject, "from", message, help_for(str(place[0]), names, "field", None))


@check("wrong-column-type")
def wrong_column_type(subject: Subject) -> Iterator[Finding]:
    """The type is none that the value can have: base64 gives binary, `epoch` and `$modified` a timestamp, a pattern fields."""
    within: set[tuple[str, str]] = set()
    for taking in _columns(subject):
        source, column, path, field, decoding, place = taking
        origin = decoding.place.text if decoding else field
        word = FACT_TYPES.get(column.origin, "")
        if word and source is subject.spec.driver and column.type.word != word:
            message = f"`{column.origin}` is a {word}, and the column is `{column.type}`"
            yield Finding((*path, "type"), message, f"write `type: {word}`")
        elif not word and taking.is_known and not (place and (source.name, origin) in within):
            yield from _problem_of_decoded(subject, taking)
            within |= {(source.name, origin)} if place else set()


def _problem_of_decoded(subject: Subject, taking: Taking) -> Iterator[Finding]:
    """Why a column cannot have what the last decode step gives, or the connector without steps."""
    source, column, _, field, decoding, place = taking
    step, origin = taking.step, decoding.place.text if decoding else field
    value = step.gives if step else ANY if source.role.gives_binary else PLAIN
    gives = f"`{step.word}` gives {value}" if step else ""
    fitting = FITTING.get(value)
    if place and value in SCALARS:
        help = (
            "add the step `json`" if value not in (TIME, DATE) else f"take it whole, as in `from: {origin}`"
        )
        yield taking.finding(subject, "from", f"{gives}, and nothing stands within that", help)
    elif not place and fitting and column.type.word not in fitting:
        help = f"write the type `{fitting[0]}`"
        if step and value == FIELDS:
            help = f"take one, as in `from: {origin}.{step.argument.names[0]}`"
        yield taking.finding(subject, "type", f"{gives}, and the column is `{column.type}`", help)
    elif not step and not source.role.gives_nested and (place or column.type.word in NESTED):
        asked = f"`from` is within {excerpt(field)}" if place else f"the column is `{column.type}`"
        message = f"`{source.connector.name}` gives no lists and mappings, and {asked}"
        help = f"if it is JSON as text, decode it: `decode: {{{field}: [json]}}`"
        yield taking.finding(subject, "from" if place else "type", message, help)
    elif value in (PLAIN, TEXT) and column.type.word == "binary":
        message = (
            f"`{step.word if step else source.connector.name}` gives no binary, and the column is `binary`"
        )
        help = f"decode text: `decode: {{{column.origin}: [base64]}}`"
        yield taking.finding(subject, "type", message, help)


@check("required-default")
def required_default(subject: Subject) -> Iterator[Finding]:
    """A required column is never null, so nothing is left for its default."""
    for _, column, path, *_ in _columns(subject):
        if column.required and column.default is not None:
            message = "a required column is never null, so its `default` stands for nothing"
            yield Finding((*path, "default"), message, "remove `required` or `default`", at="key")


@check("wrong-default")
def wrong_default(subject: Subject) -> Iterator[Finding]:
    """The default is no value of the column's type."""
    for source, column, path, *_ in _columns(subject):
        if column.default is not None and not column.required:
            block = subject.block(source)["columns"][column.name]
            yield from _unknown_fields(block["default"], column.type, (*path, "default"))


def _unknown_fields(value: Any, kind: Type, path: KeyPath) -> Iterator[Finding]:
    """Each field of a default that its type does not have, since it would be lost."""
    if kind.word == "array" and isinstance(value, list):
        for position, element in enumerate(value):
            yield from _unknown_fields(element, kind.fields[0][1], (*path, position))
    elif kind.word == "map" and isinstance(value, dict):
        for key, part in value.items():
            yield from _unknown_fields(part, kind.fields[1][1], (*path, key))
    elif kind.word == "struct" and isinstance(value, dict):
        fields = dict(kind.fields)
        for name, part in value.items():
            if name in fields:
                yield from _unknown_fields(part, fields[name], (*path, name))
            else:
                message = f"the type of the column has no field {excerpt(name)}"
                yield Finding((*path, name), message, help_for(name, fields, "field", None), at="key")
