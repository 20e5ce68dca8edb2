"""`plait plan`: what a run would do."""

from __future__ import annotations

import click

from plait.commands._plan_json import document
from plait.commands._plan_text import paragraphs
from plait.commands.common import load, output, params, print_json


@click.command("plan")
@click.argument("spec")
@params
@output("text", "json")
def command(spec: str, parameters: dict[str, str], output: str) -> None:
    """Show what a run would do: the joins in their order, the schema, the partitions, where rows go."""
    plan = load(spec, parameters).plan()
    if output == "json":
        print_json(document(plan))
    else:
        click.echo("\n\n".join(paragraphs(plan)))
