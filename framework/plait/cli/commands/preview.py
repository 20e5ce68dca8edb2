"""`plait preview`: the rows that a run would write."""

from __future__ import annotations

import base64
import json
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from plait.cli.common import coloured, load, output, params, plural, print_json, printable
from plait.problems.render import as_json, full

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


@click.command("preview")
@click.argument("spec")
@click.option(
    "--object", "objects", multiple=True, metavar="URI", help="A driving object to read. Repeatable."
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=10, show_default=True, help="At most so many rows."
)
@params
@output("text", "json")
def command(spec: str, objects: Sequence[str], limit: int, parameters: dict[str, str], output: str) -> None:
    """Read and join for real, write nothing, and show the rows."""
    table, report = load(spec, parameters).preview_with_report(objects or None, limit)
    names = table.column_names
    rows = [{name: plain(value) for name, value in row.items()} for row in table.slice(0, limit).to_pylist()]
    if output == "json":
        print_json({"columns": names, "rows": rows, "problems": as_json(report.problems)})
    else:
        _print(names, [[cell(row[name]) for name in names] for row in rows])
        click.echo(plural(len(rows), "row"), err=True)
    if report.problems:
        click.echo(full(report.problems, {}, coloured(sys.stderr)), err=True, color=True)
    skipped = [uri for uri, outcome in report.outcomes.items() if outcome in ("skipped", "gone")]
    for uri in skipped:
        click.echo(f"{report.outcomes[uri]}: {printable(uri)}", err=True)
    if not report.ok:
        raise click.exceptions.Exit(1)


def plain(value: Any) -> Any:
    """A value as JSON has it: decimals and binary as text, times as ISO 8601."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def cell(value: Any) -> Text:
    """A value of `plain` as one line of a terminal."""
    from rich.text import Text

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Text(printable(text), style="dim" if value is None else "", overflow="fold")


def _print(names: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    from rich.console import Console
    from rich.measure import Measurement

    colour = coloured(sys.stdout)
    console = Console(file=sys.stdout, no_color=not colour, highlight=False, emoji=False)
    wide = _wide(names, rows)
    if rows and Measurement.get(console, _unbounded(console), wide).maximum > console.width:
        for number, row in enumerate(rows, 1):
            console.print(_long(number, names, row))
    else:
        console.print(wide)


def _unbounded(console: Console) -> Any:
    return console.options.update(width=max(console.width, 10**6))


def _wide(names: Sequence[str], rows: Sequence[Sequence[Text]]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(Text(printable(name)), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _long(number: int, names: Sequence[str], row: Sequence[Text]) -> Table:
    """One row as lines of name and value, where a table would not fit the terminal."""
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
