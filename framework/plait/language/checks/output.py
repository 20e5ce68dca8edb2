"""Where rows go: columns with names of their own, partition columns, and folders that must not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.checks.registry import check
from plait.language.checks.subject import describe, is_list, path_of
from plait.language.finding import Finding
from plait.language.forms import TIME_FUNCTIONS
from plait.problems.problem import excerpt
from plait.values.driver_path import normal_folder
from plait.values.types import NESTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.language.checks.subject import Subject
    from plait.language.forms import Partition
    from plait.language.source_map import KeyPath
    from plait.language.spec import Source
    from plait.values.types import Type


def _names(source: Source) -> list[KeyPath]:
    """Where the columns of a source are named."""
    return [(*path_of(source), "columns", column.name) for column in source.columns or ()]


def _names_of_row(subject: Subject) -> list[KeyPath]:
    """Where the columns of the row are named; a list has the name of its source."""
    return [
        path
        for source in subject.sources
        for path in ([path_of(source)] if is_list(source) else _names(source))
    ]


def _clashes(names: Iterable[KeyPath]) -> Iterator[tuple[KeyPath, KeyPath]]:
    """Each name that another before it equals but for case, with that other."""
    first: dict[str, KeyPath] = {}
    for path in names:
        other = first.setdefault(str(path[-1]).lower(), path)
        if other is not path:
            yield path, other


@check("duplicate-column")
def duplicate_column(subject: Subject) -> Iterator[Finding]:
    """Two sources give one column."""
    for path, other in _clashes(_names_of_row(subject)):
        source, name = subject.spec.source(str(path[1])), path[-1]
        if name == other[-1]:
            kind = next((column.type for column in source.columns or () if column.name == name), None)
            help = f"rename it, as in `{source.name}_{name}: {{type: {kind}, from: {name}}}`"
            message = f"the column {excerpt(name)} comes from {excerpt(other[1])} already"
            note = f"first given at line {subject.line(other)}"
            yield Finding(path, message, "rename the source" if is_list(source) else help, note, at="key")


@check("case-clash")
def case_clash(subject: Subject) -> Iterator[Finding]:
    """Athena and Glue do not see case, so two columns must differ in more."""
    names = _names_of_row(subject)
    first = {str(path[-1]).lower(): path for path in reversed(names)}
    partitions: list[KeyPath] = [("partition_by", part.name) for part in subject.spec.partition_by]
    pairs = [(path, first[name]) for path in partitions if (name := str(path[-1]).lower()) in first]
    for columns in (names, *(map(_names, filter(is_list, subject.sources)))):
        pairs += _clashes(columns)
    for path, other in pairs:
        if path[-1] != other[-1]:
            both = f"{excerpt(path[-1])} and {excerpt(other[-1])}"
            note = f"first given at line {subject.line(other)}"
            message = f"{both} differ in case only, which Athena and Glue do not see"
            yield Finding(path, message, "rename one of them", note, at="key")


@check("partition-type")
def partition_type(subject: Subject) -> Iterator[Finding]:
    """Files are parted by text, whole numbers, decimals, dates, timestamps and true or false; `hour` needs a timestamp."""
    for partition in subject.spec.partition_by:
        kind = subject.row.types.get(partition.column)
        if kind is not None and (problem := _type_problem(partition, kind)):
            yield Finding(("partition_by", partition.name), *problem, part=partition.column)


def _type_problem(partition: Partition, kind: Type) -> tuple[str, str] | None:
    """Why a function cannot take its column, and what to do."""
    column, function = partition.column, partition.function
    name, word = excerpt(column), kind.word
    if word in (*NESTED, "binary", "float", "double"):
        message = f"{name} is {describe(kind)}, by which files cannot be parted"
        return message, "choose a column of text, whole numbers, dates or timestamps"
    if function in TIME_FUNCTIONS and word not in ("date", "timestamp"):
        message = f"`{function}` takes a date or timestamp, and {name} is `{kind}`"
        return message, "choose a date or timestamp"
    if function == "hour" and word == "date":
        return f"`hour` takes a timestamp, and {name} is a date", f"write `date({column})`"
    if partition.zone != "UTC" and word == "date":
        message = f"a time zone means nothing for {name}, which is a date"
        return message, f"write `{function}({column})`"
    if function == "bucket" and word == "boolean":
        return f"`bucket` takes no true or false, as {name} is", f"write `{column}` alone"
    return None


@check("moving-partition", level="warning")
def moving_partition(subject: Subject) -> Iterator[Finding]:
    """A partition column comes from a look-up, so a later run may move rows and leave the old file behind."""
    for partition in subject.spec.partition_by:
        column = partition.column
        if subject.row.givers.get(column, subject.spec.driver.name) != subject.spec.driver.name:
            message = f"{excerpt(column)} comes from a look-up, so a later run may move its rows elsewhere"
            help = "part by a column of the driving source"
            yield Finding(("partition_by", partition.name), message, help, part=column)


@check("folder-per-instant", level="warning")
def folder_per_instant(subject: Subject) -> Iterator[Finding]:
    """A timestamp has a value for nearly every row, so parting by it as it is makes a folder for each."""
    for partition in subject.spec.partition_by:
        name, column = partition.name, partition.column
        kind = subject.row.types.get(column)
        if partition.function == "column" and kind and kind.word == "timestamp":
            message = f"{excerpt(column)} is a timestamp, so nearly every row would have a folder of its own"
            help = f"write `date({column})` or `hour({column})`"
            if name == column:
                help = f"write `date: date({column})` or `hour: hour({column})`"
            yield Finding(("partition_by", name), message, help)


@check("hidden-column", level="warning")
def hidden_column(subject: Subject) -> Iterator[Finding]:
    """A partition column takes the column of its name out of the files, and is made of another."""
    for partition in subject.spec.partition_by:
        name, kind = partition.name, subject.row.types.get(partition.column)
        is_same = name == partition.column and (
            partition.function == "column" or kind is None or kind.word == "date"
        )
        if name in subject.row.types and not is_same and not subject.row.lacks(partition.column):
            hidden = f"the partition column {excerpt(name)} takes the output column of that name"
            help = "give the partition column another name"
            yield Finding(("partition_by", name), f"{hidden} out of the files", help, at="key")


@check("recursion")
def recursion(subject: Subject) -> Iterator[Finding]:
    """Files that are written would fit the driving path, and start the pipeline again, for ever."""
    for key, path in subject.spec.recursions():
        message = f"files written here fit the path of {excerpt(subject.spec.driver.name)}"
        help = f"choose a folder outside of {excerpt(path.text)}"
        place = _quarantine_path(subject) if key == "quarantine" else ("sink", key)
        yield Finding(place, f"{message}, so they would drive the pipeline again", help)


@check("quarantine-in-sink")
def quarantine_in_sink(subject: Subject) -> Iterator[Finding]:
    """Readers of the sink's folder expect rows, and the quarantine is JSON."""
    quarantine = subject.spec.quarantine
    for key, folder in subject.spec.sink.folders.items():
        if quarantine and normal_folder(quarantine.path).startswith(normal_folder(folder)):
            message = "the quarantine lies in the folder of the sink, where readers expect rows only"
            note = f"the sink writes at line {subject.line(('sink', key))}"
            yield Finding(_quarantine_path(subject), message, "choose a folder beside it", note)


def _quarantine_path(subject: Subject) -> KeyPath:
    return ("quarantine", "path") if subject.writes(("quarantine", "path")) else ("quarantine",)
