"""`plait list`: the objects that a run would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option, time_options
from plait.cli.printing import print_json, printable

if TYPE_CHECKING:
    from datetime import datetime

    from plait.plugin import Item


@click.command("list")
@click.argument("spec")
@time_options
@parameter_option
@output_option("text", "json")
def command(
    spec: str, since: datetime | None, until: datetime | None, parameters: dict[str, str], output: str
) -> None:
    """List the objects that a run would take: URI, size and time, one a line."""
    items = load_pipeline(spec, parameters, infers=True).list(since, until)
    if output == "json":
        documents = [{"uri": item.uri, "size": item.size, "modified": _modified(item)} for item in items]
        print_json({"objects": documents})
        return
    for item in items:
        size = "" if item.size is None else str(item.size)
        click.echo(f"{printable(item.uri)}\t{size}\t{_modified(item) or ''}")


def _modified(item: Item) -> str | None:
    return item.modified.isoformat().replace("+00:00", "Z") if item.modified else None
