"""Rows of a preview as a table, or row by row where the terminal is too narrow for one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from plait.cli.printing import coloured
from plait.problems.problem import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.text import Text

UNBOUNDED = 10**6  # columns of a terminal in which every table fits


def print_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows of JSON values below the names of their columns."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table

    console = _console()
    cells = [[_cell(value) for value in row] for row in rows]
    columns = (Column(_cell(name), overflow="fold") for name in names)
    table = Table(*columns, box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for row in cells:
        table.add_row(*row)
    width = console.measure(table, options=console.options.update(width=UNBOUNDED)).maximum
    if not rows or width <= console.width:
        console.print(table)
        return
    for number, values in enumerate(rows, 1):
        print_lines(f"row {number}", zip(names, values, strict=True))


def print_lines(title: str, lines: Iterable[Sequence[Any]]) -> None:
    """Print lines of JSON values, each below the one before it, under a title."""
    from rich.table import Table

    table = Table(box=None, show_header=False)
    for line in lines:
        table.add_row(*map(_cell, line))
    console = _console()
    console.print(title, style="bold", markup=False)
    console.print(table)


def _console() -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, no_color=not coloured(sys.stdout), highlight=False, emoji=False)


def _cell(value: Any) -> Text:
    from rich.text import Text

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Text(printable(text), style="dim" if value is None else "", overflow="fold")
