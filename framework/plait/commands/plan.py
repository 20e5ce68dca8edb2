"""`plait plan`: what a run would do."""

from __future__ import annotations

import click

from plait.changes import changes
from plait.commands._against import other
from plait.commands._changes import differences, lines
from plait.commands._plan_json import document
from plait.commands._plan_text import paragraphs
from plait.commands.common import load, output, params, print_json


@click.command("plan")
@click.argument("spec")
@click.option(
    "--against", metavar="GITREF|FILE", help="Show what changes since a git revision or another spec."
)
@params
@output("text", "json")
def command(spec: str, against: str | None, parameters: dict[str, str], output: str) -> None:
    """Show what a run would do: the joins in their order, the schema, the partitions, where rows go.

    With --against, show what changes for those who read the lake, and exit with 1 if that breaks them.
    """
    plan = load(spec, parameters).plan()
    if against is None:
        if output == "json":
            print_json(document(plan))
        else:
            click.echo("\n\n".join(paragraphs(plan)))
        return
    found = changes(other(spec, against, parameters).plan(), plan)
    if output == "json":
        print_json(differences(found, plan, against))
    else:
        click.echo(lines(found, plan, against))
    if any(change.breaking for change in found):
        raise click.exceptions.Exit(1)
