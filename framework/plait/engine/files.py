"""Split the rows of a batch into files of the sink, named by the driving object alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from plait.engine.match import take_rows
from plait.engine.partition import folders
from plait.plugin import File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.engine.join import Rows
    from plait.language.forms import Partition
    from plait.plugin import Item


def file_name(uri: str) -> str:
    """The name of the file that a driving object becomes, whatever run or batch it is part of."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def split_into_files(rows: Rows, items: Sequence[Item], partitions: Sequence[Partition]) -> list[File]:
    """Split rows into one file for each driving object and partition; `items[n]` is the object of record n."""
    groups: dict[tuple[str, str], list[int]] = {}
    folder_of_rows = folders(rows.table, partitions)
    for row, (record_number, folder) in enumerate(zip(rows.record_numbers, folder_of_rows, strict=True)):
        groups.setdefault((items[record_number].uri, folder), []).append(row)
    names = {partition.name for partition in partitions}
    columns = [name for name in rows.table.column_names if name in names]
    table = rows.table.drop_columns(columns).combine_chunks()
    return [
        File(
            table=_rows_at(table, positions),
            folder=folder,
            name=file_name(uri),
            item=items[rows.record_numbers[positions[0]]],
        )
        for (uri, folder), positions in groups.items()
    ]


def _rows_at(table: Any, positions: list[int]) -> Any:
    if positions[-1] - positions[0] + 1 == len(positions):
        return table.slice(positions[0], len(positions))
    return take_rows(table, positions)
