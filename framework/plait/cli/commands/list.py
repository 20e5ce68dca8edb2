"""`plait list`: the objects that a run would take."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option, time_options
from plait.cli.printing import print_json, print_problems_on_stderr, uri_line
from plait.pipeline.nearby import find, no_objects
from plait.plugin import Window
from plait.values.json_value import json_value

if TYPE_CHECKING:
    from datetime import datetime


@click.command("list")
@click.argument("spec")
@time_options
@parameter_option
@output_option("text", "json")
def command(
    spec: str, since: datetime | None, until: datetime | None, parameters: dict[str, str], output: str
) -> None:
    """List the objects that a run would take: URI, size and time, one a line."""
    pipeline = load_pipeline(spec, parameters, infers=True)
    engine, window = pipeline.engine(), Window(since=since, until=until)
    items = find(engine, window)
    first = next(items, None)
    if first is None:
        print_problems_on_stderr([no_objects(engine, window)])
    documents = (
        {"uri": item.uri, "size": item.size, "modified": json_value(item.modified)}
        for item in chain([first] if first else [], items)
    )
    if output == "json":
        print_json({"objects": [*documents]})
        return
    for document in documents:
        uri, *facts = document.values()
        click.echo("\t".join([uri_line(uri), *("" if fact is None else str(fact) for fact in facts)]))
