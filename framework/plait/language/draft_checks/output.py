"""Check where rows go: partition columns, the columns left in the files, and folders that must not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.checks.path_overlap import can_drive, normal_folder, written_form
from plait.language.draft_checks.row import describe
from plait.language.drafts.output import TIME_FUNCTIONS
from plait.language.struct_fields import fields_of
from plait.plugin import DriverPath, FolderPath
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.draft_checks.references import UnknownColumns
    from plait.language.draft_checks.row import Row
    from plait.language.drafts.collector import ProblemCollector
    from plait.language.drafts.sources import SourceDraft
    from plait.language.source_map import KeyPath
    from plait.language.spec import Partition, Quarantine, Target
    from plait.values.types import Type


def check_partitions(
    partitions: Sequence[Partition],
    drafts: Sequence[SourceDraft],
    row: Row,
    unknown: UnknownColumns,
    collector: ProblemCollector,
) -> None:
    """Each partition column is made of a column that files can be partitioned by."""
    lookups = {draft.name for draft in drafts if draft.role == "lookup"}
    for partition in partitions:
        column = partition.column
        path: KeyPath = ("partition_by", partition.name)
        kind = row.types.get(column)
        if row.lacks(column):
            unknown.add(column, collector.span(path, column))
            continue
        if problem := _type_problem(partition, kind) if kind else _undeclared_problem(partition, row):
            message, help = problem
            collector.add_at(path, "partition-type", message, help=help, part=column)
        elif row.has_driver and row.givers.get(column) in lookups:
            message = f"{excerpt(column)} comes from a look-up, so a later run may move its rows elsewhere"
            help = "part by a column of the driving source"
            collector.add_at(path, "moving-partition", message, help=help, level="warning", part=column)
        _check_hidden_column(partition, row, collector)
    _check_columns_left(partitions, drafts, row, collector)


def _undeclared_problem(partition: Partition, row: Row) -> tuple[str, str] | None:
    """Why this function cannot take a column without a declared type, and what to do."""
    column, function = partition.column, partition.function
    if function == "column" or not row.leaves_type_open(column):
        return None
    message = f"the type of {excerpt(column)} is not declared, and `{function}` depends on it"
    kind = "timestamp" if function in TIME_FUNCTIONS else "string"
    return message, f"declare it, as in `{column}: {kind}`, in {row.source_to_declare(column)}"


def _type_problem(partition: Partition, kind: Type) -> tuple[str, str] | None:
    """Why this function cannot take a column of this type, and what to do."""
    column, function = partition.column, partition.function
    name, word = excerpt(column), kind.word
    if word in ("array", "struct", "binary", "float", "double"):
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


def _check_hidden_column(partition: Partition, row: Row, collector: ProblemCollector) -> None:
    """A partition column of the name of an output column has the values of that column."""
    name, kind = partition.name, row.types.get(partition.column)
    has_same_values = partition.function == "column" or kind is None or kind.word == "date"
    if name in row.types and not (partition.column == name and has_same_values):
        message = (
            f"the partition column {excerpt(name)} takes the output column of that name out of the files"
        )
        help = "give the partition column another name"
        collector.add_at_key(("partition_by", name), "hidden-column", message, help=help, level="warning")


def _check_columns_left(
    partitions: Sequence[Partition], drafts: Sequence[SourceDraft], row: Row, collector: ProblemCollector
) -> None:
    """At least one column is left in the files."""
    if row.open or row.unreadable or not drafts or any(not draft.complete for draft in drafts):
        return
    if row.types and set(row.types) <= {partition.name for partition in partitions}:
        message = "every column is a partition column, so the files would have none"
        help = "leave out one of them, or give it another name"
        collector.add_at_key(("partition_by",), "no-columns", message, help=help)


def check_folders(
    drafts: Iterable[SourceDraft],
    partitions: Sequence[Partition],
    sink: Target | None,
    quarantine: Quarantine | None,
    collector: ProblemCollector,
) -> None:
    """No written file can drive the pipeline again, and the quarantine does not lie among the rows."""
    drivers = [draft for draft in drafts if draft.role == "driver" and draft.options is not None]
    names = [partition.name for partition in partitions]
    folders = _folders(sink)
    suffix = sink.connector.suffix if sink else ""
    block_path: KeyPath = ("quarantine", "path")
    is_block = block_path in collector.source_map.key_spans
    quarantine_path: KeyPath = block_path if is_block else ("quarantine",)
    for draft in drivers[:1]:
        options = _values_by_key(draft.options).values()
        for driver_path in (value for value in options if isinstance(value, DriverPath)):
            for key, folder in folders.items():
                form = written_form(folder, names, suffix)
                _check_recursion(draft, driver_path, form, ("sink", key), collector)
            if quarantine:
                form = written_form(quarantine.path, (), ".json")
                _check_recursion(draft, driver_path, form, quarantine_path, collector)
    for key, folder in folders.items():
        if quarantine and normal_folder(quarantine.path).startswith(normal_folder(folder)):
            message = "the quarantine lies in the folder of the sink, where readers expect rows only"
            help = "choose a folder beside it"
            note = f"the sink writes at line {collector.source_map.value_span(('sink', key)).line}"
            collector.add_at(quarantine_path, "quarantine-in-sink", message, help=help, note=note)


def _check_recursion(
    draft: SourceDraft,
    driver_path: DriverPath,
    form: tuple[str, ...],
    path: KeyPath,
    collector: ProblemCollector,
) -> None:
    if can_drive(driver_path, form):
        message = f"files written here fit the path of {excerpt(draft.name)}, so they would drive the pipeline again"
        help = f"choose a folder outside of {excerpt(driver_path.text)}"
        collector.add_at(path, "recursion", message, help=help)


def _values_by_key(options: object) -> dict[str, object]:
    """The options by the keys that a spec writes."""
    fields = fields_of(type(options))  # type: ignore[arg-type]
    return {key: getattr(options, field.name) for key, field in fields.items()}


def _folders(sink: Target | None) -> dict[str, str]:
    """The folders among the options of the sink, by their keys."""
    values = _values_by_key(sink.options) if sink else {}
    return {key: value.literal for key, value in values.items() if isinstance(value, FolderPath)}
