"""One batch's rows to files of the sink, named by the driving object alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from plait.engine.match import take_rows
from plait.engine.partition import folders
from plait.plugin import File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.engine.join import Rows
    from plait.language.spec import Partition
    from plait.plugin import Item


def file_name(uri: str) -> str:
    """The name of the file that a driving object becomes, whatever run or batch it is part of."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def files(rows: Rows, items: Sequence[Item], partitions: Sequence[Partition]) -> list[File]:
    """Cut rows into one table for each driving object and partition; `items[n]` is record n's object."""
    placed = folders(rows.table, partitions)
    groups: dict[tuple[str, str], list[int]] = {}
    for number, (record, folder) in enumerate(zip(rows.record_numbers, placed, strict=True)):
        groups.setdefault((items[record].uri, folder), []).append(number)
    names = {p.name for p in partitions}
    table = rows.table.drop_columns([n for n in rows.table.column_names if n in names]).combine_chunks()
    return [
        File(
            table=_part(table, numbers),
            folder=folder,
            name=file_name(uri),
            item=items[rows.record_numbers[numbers[0]]],
        )
        for (uri, folder), numbers in groups.items()
    ]


def _part(table: Any, numbers: list[int]) -> Any:
    if numbers[-1] - numbers[0] + 1 == len(numbers):
        return table.slice(numbers[0], len(numbers))
    return take_rows(table, numbers)
