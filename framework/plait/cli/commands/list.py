"""`plait list`: the objects that a run would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.common import load, output, params, print_json, printable, window

if TYPE_CHECKING:
    from datetime import datetime

    from plait.plugin import Item


@click.command("list")
@click.argument("spec")
@window
@params
@output("text", "json")
def command(
    spec: str, since: datetime | None, until: datetime | None, parameters: dict[str, str], output: str
) -> None:
    """List the objects that a run would take: URI, size and time, one a line."""
    items = load(spec, parameters).list(since, until)
    if output == "json":
        print_json({"objects": [{"uri": i.uri, "size": i.size, "modified": _time(i)} for i in items]})
        return
    for item in items:
        size = "" if item.size is None else str(item.size)
        click.echo(f"{printable(item.uri)}\t{size}\t{_time(item) or ''}")


def _time(item: Item) -> str | None:
    return item.modified.isoformat().replace("+00:00", "Z") if item.modified else None
