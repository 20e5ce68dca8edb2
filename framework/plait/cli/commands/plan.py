"""`plait plan`: what a run would do, or what changes for those who read the lake."""

from __future__ import annotations

import click

from plait.cli.comparison import load_compared_pipeline
from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option
from plait.cli.printing import print_answer
from plait.cli.views.changes import changes_document, changes_text
from plait.cli.views.costs import assumptions_for, cost_document, cost_paragraphs, smallest_batch
from plait.cli.views.plan import plan_document, plan_paragraphs
from plait.plan.costs import MILLION, forecast
from plait.plan.diff import changes


@click.command("plan")
@click.argument("spec")
@click.option(
    "--against", metavar="GITREF|FILE", help="Show what changes since a git revision or another spec."
)
@click.option(
    "--objects",
    type=click.IntRange(1, 10**12),
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
@parameter_option
@output_option("text", "json")
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
    plan = load_pipeline(spec, parameters).plan()
    if against is None:
        costs = forecast(plan.spec, assumptions_for(plan.spec, objects, like))
        advised = None if rate is None else smallest_batch(plan.spec, objects, rate)
        document = {**plan_document(plan), "forecast": cost_document(plan.spec, costs, rate, advised)}
        paragraphs = [*plan_paragraphs(plan), *cost_paragraphs(plan.spec, costs, rate, advised)]
        print_answer(output, document, "\n\n".join(paragraphs))
        return
    compared = changes(load_compared_pipeline(spec, against, parameters).plan(), plan)
    print_answer(output, changes_document(compared, plan, against), changes_text(compared, plan, against))
    if any(change.breaking for change in compared):
        raise click.exceptions.Exit(1)
