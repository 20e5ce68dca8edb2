"""Rows of a preview as a table, or row by row where the terminal is too narrow for one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from plait.cli.printing import coloured, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

UNBOUNDED = 10**6  # columns of a terminal in which every table fits


def print_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows of JSON values below the names of their columns."""
    from rich.console import Console
    from rich.measure import Measurement

    console = Console(file=sys.stdout, no_color=not coloured(sys.stdout), highlight=False, emoji=False)
    cells = [[_cell(value) for value in row] for row in rows]
    table = _table(names, cells)
    if rows and Measurement.get(console, _unbounded(console), table).maximum > console.width:
        for number, row in enumerate(cells, 1):
            console.print(_row_lines(number, names, row))
    else:
        console.print(table)


def _unbounded(console: Console) -> Any:
    return console.options.update(width=max(console.width, UNBOUNDED))


def _cell(value: Any) -> Text:
    from rich.text import Text

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Text(printable(text), style="dim" if value is None else "", overflow="fold")


def _table(names: Sequence[str], rows: Sequence[Sequence[Text]]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(Text(printable(name)), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _row_lines(number: int, names: Sequence[str], row: Sequence[Text]) -> Table:
    """A row as lines of a name and its value, below the row's number."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=f"row {number}", title_justify="left", title_style="bold", box=None, show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in zip(names, row, strict=True):
        table.add_row(Text(printable(name)), value)
    return table
