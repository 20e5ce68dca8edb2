"""Where rows go: partition columns, the columns left in the files, and folders that must not meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.checks.path_overlap import drives, folder, written
from plait.language.checks.row import describe
from plait.language.struct_fields import fields_of
from plait.plugin import DriverPath, FolderPath
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.build.sources import SourceDraft
    from plait.language.checks.references import UnknownColumns
    from plait.language.checks.row import Row
    from plait.language.source_map import KeyPath
    from plait.language.spec import Partition, Quarantine, Target
    from plait.language.structure import ProblemCollector
    from plait.values.types import Type

TIMES = ("date", "month", "hour")


def check_partitions(
    partitions: Sequence[Partition],
    blocks: Sequence[SourceDraft],
    row: Row,
    unknown: UnknownColumns,
    collector: ProblemCollector,
) -> None:
    """Each partition column is made of a column that can part files."""
    lookups = {block.name for block in blocks if block.role == "lookup"}
    for one in partitions:
        path: KeyPath = ("partition_by", one.name)
        kind = row.types.get(one.column)
        if row.lacks(one.column):
            unknown.add(one.column, collector.span(path, one.column))
        elif problem := _unfit(one, kind) if kind else _open(one, row):
            message, help = problem
            collector.add_at(path, "partition-type", message, help=help, part=one.column)
        elif row.driven and row.givers.get(one.column) in lookups:
            message = (
                f"{excerpt(one.column)} comes from a look-up, so a later run may move its rows elsewhere"
            )
            help = "part by a column of the driving source"
            collector.add_at(path, "moving-partition", message, help=help, level="warning", part=one.column)
        if not row.lacks(one.column):
            _hidden(one, row, collector)
    _left(partitions, blocks, row, collector)


def _open(one: Partition, row: Row) -> tuple[str, str] | None:
    """Why a column without a declared type cannot part files so, and what to do."""
    if one.function == "column" or not row.leaves_open(one.column):
        return None
    message = f"the type of {excerpt(one.column)} is not declared, and `{one.function}` depends on it"
    kind = "timestamp" if one.function in TIMES else "string"
    return message, f"declare it, as in `{one.column}: {kind}`, in {row.where(one.column)}"


def _unfit(one: Partition, kind: Type) -> tuple[str, str] | None:
    """Why a column of this type cannot part files so, and what to do."""
    name, word = excerpt(one.column), kind.word
    if word in ("array", "struct", "binary", "float", "double"):
        message = f"{name} is {describe(kind)}, by which files cannot be parted"
        return message, "choose a column of text, whole numbers, dates or timestamps"
    if one.function in TIMES and word not in ("date", "timestamp"):
        return (
            f"`{one.function}` takes a date or timestamp, and {name} is `{kind}`",
            "choose a date or timestamp",
        )
    if one.function == "hour" and word == "date":
        return f"`hour` takes a timestamp, and {name} is a date", f"write `date({one.column})`"
    if one.zone != "UTC" and word == "date":
        return (
            f"a time zone means nothing for {name}, which is a date",
            f"write `{one.function}({one.column})`",
        )
    if one.function == "bucket" and word == "boolean":
        return f"`bucket` takes no true or false, as {name} is", f"write `{one.column}` alone"
    return None


def _hidden(one: Partition, row: Row, collector: ProblemCollector) -> None:
    kind = row.types.get(one.column)
    same = one.column == one.name and (one.function == "column" or kind is None or kind.word == "date")
    if one.name in row.types and not same:
        message = (
            f"the partition column {excerpt(one.name)} takes the output column of that name out of the files"
        )
        help = "give the partition column another name"
        collector.add_at_key(("partition_by", one.name), "hidden-column", message, help=help, level="warning")


def _left(
    partitions: Sequence[Partition], blocks: Sequence[SourceDraft], row: Row, collector: ProblemCollector
) -> None:
    """Something is left to write."""
    if row.open or row.refused or not blocks or any(not block.whole for block in blocks):
        return
    if row.types and set(row.types) <= {one.name for one in partitions}:
        message = "every column is a partition column, so the files would have none"
        help = "leave out one of them, or give it another name"
        collector.add_at_key(("partition_by",), "no-columns", message, help=help)


def check_folders(
    blocks: Iterable[SourceDraft],
    partitions: Sequence[Partition],
    sink: Target | None,
    quarantine: Quarantine | None,
    collector: ProblemCollector,
) -> None:
    """No written file drives the pipeline again, and none lies among the rows that is not one."""
    drivers = [block for block in blocks if block.role == "driver" and block.options is not None]
    names = [one.name for one in partitions]
    sinks = dict(_folders(sink))
    where: KeyPath = (
        ("quarantine", "path")
        if ("quarantine", "path") in collector.source_map.key_spans
        else ("quarantine",)
    )
    for block in drivers[:1]:
        for path in (one for one in _values(block.options).values() if isinstance(one, DriverPath)):
            suffix = sink.connector.suffix if sink else ""
            for key, target in sinks.items():
                _recursion(block, path, written(target, names, suffix), ("sink", key), collector)
            if quarantine:
                _recursion(block, path, written(quarantine.path, (), ".json"), where, collector)
    for key, target in sinks.items():
        if quarantine and folder(quarantine.path).startswith(folder(target)):
            message = "the quarantine lies in the folder of the sink, where readers expect rows only"
            note = f"the sink writes at line {collector.source_map.value_span(('sink', key)).line}"
            collector.add_at(
                where, "quarantine-in-sink", message, help="choose a folder beside it", note=note
            )


def _recursion(
    block: SourceDraft, path: DriverPath, target: tuple[str, ...], where: KeyPath, collector: ProblemCollector
) -> None:
    if drives(path, target):
        message = f"files written here fit the path of {excerpt(block.name)}, so they would drive the pipeline again"
        help = f"choose a folder outside of {excerpt(path.text)}"
        collector.add_at(where, "recursion", message, help=help)


def _values(options: object) -> dict[str, object]:
    keys = fields_of(type(options))  # type: ignore[arg-type]
    return {word: getattr(options, key.name) for word, key in keys.items()}


def _folders(sink: Target | None) -> Iterable[tuple[str, str]]:
    values = _values(sink.options) if sink else {}
    return ((key, one.literal) for key, one in values.items() if isinstance(one, FolderPath))
