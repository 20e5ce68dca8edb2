"""What stands at a place of a record: a value, a null, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from plait.language.forms import OBJECT_FACTS, Selector
from plait.plugin import BadRecord
from plait.problems.errors import SpecValueError
from plait.values import arrow_casts
from plait.values.conversion_error import ConversionError
from plait.values.convert import convert
from plait.values.decode import STEPS, decode
from plait.values.places import pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.spec import Column, Source
    from plait.plugin import Record

RECORDS_WITH_NAMES = 100  # of a batch that lacks a column; their fields are what the column may have meant
MOST_NAMES = 2_000  # of fields, which may be data, and other ones in each record
ABSENT = object()


def object_fact(word: str, record: Record) -> Any:
    """A fact about the driving object of a record, such as `$modified`; None if it is not known."""
    if word == "$position":
        return int(record.position or 1)
    item = record.item
    return item and {"$object": item.uri, "$modified": item.modified, "$etag": item.etag}[word]


@cache
def place_of_key(name: str) -> tuple[str | int, ...] | None:
    """The place that the name of a key's field is; None for a plain name."""
    try:
        steps = Selector.parse(name).steps
    except SpecValueError:
        return None
    return steps if len(steps) > 1 else None


def key_value(fields: Mapping[str, Any], name: str) -> Any:
    """The value of a key's field, or what stands at its place, as in `detail.order.id`, where no field has that name."""
    place = place_of_key(name)
    if place is None or name in fields:
        return fields.get(name)
    try:
        return pick(fields, place)
    except ConversionError:
        return None


def decoded_fields(record: Record, source: Source) -> Mapping[str, Any]:
    """The fields of a record with those decoded that have steps; raises BadRecord."""
    if record.fault:
        raise record.fault
    try:
        return decode(record.fields, source.decode)
    except ConversionError as error:
        raise bad_encoding(error) from error


def fields_together(records: Sequence[Record], source: Source) -> list[Mapping[str, Any]] | None:
    """The decoded fields of many records, step by step for all of them; None if that is not possible for one."""
    if not source.decode:
        return [record.fields for record in records]
    if len(records) < arrow_casts.MANY or any(len(decoding.place.steps) > 1 for decoding in source.decode):
        return None
    fields = [dict(record.fields) for record in records]
    for decoding in source.decode:
        name: Any = decoding.place.steps[0]
        values = [record.get(name) for record in fields]
        try:
            for step in decoding.steps:
                apply, argument = STEPS[step.word].apply, step.argument
                values = [None if value is None else apply(value, argument) for value in values]
        except ConversionError:
            return None
        for record, value in zip(fields, values, strict=True):
            if name in record:
                record[name] = value
    return [*fields]


def bad_encoding(error: ConversionError) -> BadRecord:
    """The error of a record of which a field cannot be decoded."""
    help = error.help or "mend it at its source, or change the steps of `decode`"
    return BadRecord(str(error), code="bad-encoding", help=help, bare=error.bare, column=error.decoded)


def cell_of(column: Column, record: Record, fields: Mapping[str, Any]) -> Any:
    """The value of a record's column in the column's type; raises BadRecord."""
    try:
        is_fact = column.origin in OBJECT_FACTS
        value = object_fact(column.origin, record) if is_fact else pick(fields, column.selector)
        value = convert(value, column.type)
    except ConversionError as error:
        texts = ((error.place, error), (error.bare_place, error.bare))
        message, bare = (f"column `{column.name}{place}`: {text}" for place, text in texts)
        help = error.help or "mend it at its source, or declare a type that takes it"
        raise BadRecord(message, code="bad-value", help=help, bare=bare, column=column.name) from error
    if value is None:
        value = column.default
    if value is None and column.required:
        message = f"column `{column.name}` is required and null"
        help = "give it a `default`, or leave out `required`"
        raise BadRecord(message, code="required-null", help=help, column=column.name)
    return value


def values_at(fields: Sequence[Any], selector: Iterable[str | int]) -> Sequence[Any]:
    """What stands at a place of each record: ABSENT where a step of it is not there, None behind a null."""
    for step in selector:
        fields = [
            value.get(step, ABSENT) if type(value) is dict else _at(value, step)  # a dict is the usual case
            for value in fields
        ]
    return fields


def _at(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else _end(value, list)
    return value.get(step, ABSENT) if isinstance(value, Mapping) else _end(value, Mapping)


def _end(value: Any, expected: type) -> Any:
    """A null and what is absent stay; a list that is too short has no such element; a value of another kind is a fault."""
    return ABSENT if isinstance(value, expected) else value


def names_beside(fields: Iterable[Any], selector: Sequence[str | int]) -> set[str]:
    """The names of the fields that stand where a place ends, for records that lack it."""
    names: set[str] = set()
    for record in fields:
        value = record
        for step in selector:
            if isinstance(value, Mapping) and step not in value:
                names.update(map(str, islice(value, MOST_NAMES - len(names))))
            value = _at(value, step)
    return names
