"""`plait plan`: what a run would do."""

from __future__ import annotations

import click

from plait.cli import costs_view as costs
from plait.cli.against import other
from plait.cli.changes_view import differences, lines
from plait.cli.common import load, output, params, print_json
from plait.cli.costs_view import assumptions, batch_for
from plait.cli.plan_json import document
from plait.cli.plan_text import paragraphs
from plait.plan.costs import MILLION, forecast
from plait.plan.diff import changes


@click.command("plan")
@click.argument("spec")
@click.option(
    "--against", metavar="GITREF|FILE", help="Show what changes since a git revision or another spec."
)
@click.option(
    "--objects",
    type=click.IntRange(min=1),
    default=MILLION,
    show_default=True,
    help="Driving objects to forecast for.",
)
@click.option("--like", metavar="REPORT", help="Forecast with the quantities of this report (a JSON file).")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Say which batch reaches so many objects a second.",
)
@params
@output("text", "json")
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    spec: str,
    against: str | None,
    objects: int,
    like: str | None,
    rate: float | None,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Show what a run would do: the joins in their order, the schema, the partitions, what it calls and costs.

    With --against, show what changes for those who read the lake, and exit with 1 if that breaks them.
    """
    plan = load(spec, parameters).plan()
    if against is None:
        made = forecast(plan.spec, assumptions(plan.spec, objects, like))
        wanted = None if rate is None else batch_for(plan.spec, objects, rate)
        if output == "json":
            print_json({**document(plan), "forecast": costs.document(plan.spec, made, rate, wanted)})
        else:
            told = (*paragraphs(plan), *costs.paragraphs(plan.spec, made, rate, wanted))
            click.echo("\n\n".join(told))
        return
    found = changes(other(spec, against, parameters).plan(), plan)
    if output == "json":
        print_json(differences(found, plan, against))
    else:
        click.echo(lines(found, plan, against))
    if any(change.breaking for change in found):
        raise click.exceptions.Exit(1)
