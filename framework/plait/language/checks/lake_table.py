"""What Glue and Athena take of the sink's table: names, partition columns, and files on S3."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from plait.language.checks.registry import check
from plait.language.checks.subject import describe, is_list, path_of
from plait.language.finding import Finding
from plait.language.forms import TIME_FUNCTIONS
from plait.language.spec import options_of_type
from plait.plugin import FolderPath, ProjectedColumn, Projection, TableName
from plait.problems.problem import excerpt
from plait.values.types import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.forms import Partition
    from plait.language.source_map import KeyPath
    from plait.values.types import Type

NAME = re.compile("[a-z0-9_]+")
PARTITION_WORDS = ("string", "date", *INTEGERS)
# How a folder is named by each function of time; a column of dates is named as by `date`.
TIMES = {
    "date": ("%Y-%m-%d", "2026-07-01"),
    "month": ("%Y-%m", "2026-07"),
    "hour": ("%Y-%m-%d-%H", "2026-07-01-00"),
}
UNTOLD = ProjectedColumn()
# What may stand in Athena's list of the values of a text, and of a whole number.
PLAIN_VALUES = (
    (
        re.compile(r"[\w.+-](?:[\w .+-]*[\w.+-])?"),
        "choose values of letters, digits, ` `, `_`, `.`, `+` and `-`",
    ),
    (re.compile("0|-?[1-9][0-9]*"), "write whole numbers, as in folders"),
)


@check("wrong-table")
def wrong_table(subject: Subject) -> Iterator[Finding]:
    """Glue or Athena could not have the table: its files are in a folder, or a name or a partition is not theirs."""
    options = subject.spec.sink.options
    if not options_of_type(options, TableName):
        if options_of_type(options, Projection):
            message = "partitions are projected of a table, and none is named"
            yield Finding(("sink", "partitions"), message, "write `table: database.table`", at="value")
        return
    path = subject.source_map.value["sink"].get("path", "")
    is_local = not any(folder.bucket for folder in options_of_type(options, FolderPath))
    if is_local and "${" not in path:
        message = "a table has its files on S3, and this is a folder"
        yield Finding(("sink", "path"), message, "write `s3://…`, or leave out `table`")
    yield from _names(subject)
    for partition in subject.spec.partition_by:
        place: KeyPath = ("partition_by", partition.name)
        if partition.name != partition.name.lower():
            yield _name(place, partition.name)
        kind = subject.row.types.get(partition.column)
        if kind and partition.function == "column" and kind.word not in PARTITION_WORDS:
            message = f"{excerpt(partition.column)} is {describe(kind)}, by which Athena parts no table"
            yield Finding(place, message, "part by a text, a whole number or a date", part=partition.column)
    for projection in options_of_type(options, Projection):
        yield from _projection(subject, projection)


def _name(place: KeyPath, name: str, part: str | None = None) -> Finding:
    plain = re.sub("[^a-z0-9]+", "_", re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    field = f"write `{plain[:40]}:… from {name[:40]}`" if part else f"call it `{plain[:40]}`"
    help = field if plain else "give it another name"
    message = f"{excerpt(name)} is no name in Glue and Athena, which take small letters, digits and `_`"
    return Finding(place, message, help, at="value" if part else "key", part=part)


def _names(subject: Subject) -> Iterator[Finding]:
    """The columns, and the fields within their types, whose names Glue would change."""
    for source in subject.sources:
        if is_list(source) and not NAME.fullmatch(source.name):
            yield _name(path_of(source), source.name)
        for column in source.columns or ():
            place = (*path_of(source), "columns", column.name)
            if not NAME.fullmatch(column.name):
                yield _name(place, column.name)
            bad_field = next((name for name in _fields(column.type) if not NAME.fullmatch(name)), None)
            if bad_field is not None:
                yield _name(place, bad_field, bad_field)


def _fields(kind: Type) -> Iterator[str]:
    for name, inner in kind.fields:
        if kind.word == "struct":
            yield name
        yield from _fields(inner)


def _projection(subject: Subject, projection: Projection) -> Iterator[Finding]:
    """A partition column without its values, one too many, and values that no folder has."""
    columns, place = projection.projection, ("sink", "partitions", "projection")
    names = {partition.name for partition in subject.spec.partition_by}
    for name in (name for name in columns if name not in names):
        yield Finding(
            (*place, name),
            f"no partition column is called {excerpt(name)}",
            "name one of `partition_by`",
            at="key",
        )
    if not names:
        yield Finding(place[:2], "there are no partitions to project", "write `partition_by`", at="key")
    for partition in subject.spec.partition_by:
        kind = subject.row.types.get(partition.column)
        if kind and (problem := _projection_problem(partition, kind, columns.get(partition.name, UNTOLD))):
            yield Finding((*place, partition.name), *problem)


def _is_time(text: str, form: str) -> bool:
    try:
        return f"{datetime.strptime(text, form):{form}}" == text  # noqa: DTZ007 - a time without a zone, as folders have it
    except ValueError:
        return False


def _projection_problem(partition: Partition, kind: Type, column: ProjectedColumn) -> tuple[str, str] | None:
    """Why a partition column cannot be projected as it is written, and what to do."""
    name, key = excerpt(partition.name), partition.name
    if partition.function == "bucket":
        return (f"{name} has as many values as buckets", "leave it out") if column != UNTOLD else None
    if partition.function in TIME_FUNCTIONS or kind.word == "date":
        form, example = TIMES.get(partition.function, TIMES["date"])
        if column.from_ is None or column.values:
            return f"{name} is a time, of which Athena needs the first", f"write `{key}: {{from: {example}}}`"
        message, help = f"{excerpt(column.from_)} is no value of {name}", f"write it as `{example}`"
        return None if _is_time(column.from_, form) else (message, help)
    plain, help = PLAIN_VALUES[kind.word in INTEGERS]
    bad = [str(value) for value in column.values if not plain.fullmatch(str(value))]
    if column.values and column.from_ is None and not bad:
        return None
    if bad:
        return f"{excerpt(bad[0])} cannot stand in Athena's list of values", help
    return f"{name} is no time, so Athena needs all its values", f"write `{key}: {{values: […]}}`"
