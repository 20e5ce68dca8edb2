"""`plait backfill`: run over history by a plan, which resumes where it was ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.aws.environment import region
from plait.backfill.spark_commands import spark_commands
from plait.backfill.state import MOST_OBJECTS, open_state, run_batch
from plait.cli.failures import exit_code
from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option, time_options, verdict_of_run_options
from plait.cli.printing import plural, print_answer
from plait.cli.views.progress import object_progress
from plait.cli.views.report import report_text
from plait.pipeline.nearby import find
from plait.plugin import Window

if TYPE_CHECKING:
    from datetime import datetime

    from plait.cli.options import QuarantineLimit

TRIES = 3


@click.command("backfill")
@click.argument("spec")
@click.option("--all", "everything", is_flag=True, help="Over all objects.")
@time_options
@click.option(
    "--batch",
    type=click.IntRange(1, MOST_OBJECTS),
    default=MOST_OBJECTS,
    show_default=True,
    help="Objects a batch.",
)
@click.option("--state", "folder", metavar="URI", help="Where the state lies.  [default: beside the sink]")
@click.option(
    "--on",
    "runner",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Where batches run.",
)
@verdict_of_run_options
@parameter_option
@output_option("text", "json")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    ctx: click.Context,
    spec: str,
    everything: bool,
    since: datetime | None,
    until: datetime | None,
    batch: int,
    folder: str | None,
    runner: str,
    max_quarantined: QuarantineLimit | None,
    fail_level: str,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Run over history by a plan of batches, and print the report of all of them.

    The objects are listed once. The same command, given again, runs the batches that are not done.
    """
    if everything == bool(since or until):
        raise click.UsageError("give either `--all`, or `--since` with `--until`")
    pipeline = load_pipeline(spec, parameters)
    pipeline.require_columns()
    engine, window = pipeline.engine(), Window(since=since, until=until)
    state = open_state(pipeline.spec, window, engine.services.objects, folder)
    plan = state.plan() or state.make_plan(pipeline.spec, window, find(engine, window), batch)
    if runner == "local":
        with object_progress(plan.objects) as progress:
            for attempt in range(TRIES):
                for number in state.open_batches(plan):
                    objects = run_batch(engine, state, number).counts.total()
                    progress(0 if attempt else objects)
    report, left = state.report(plan), len(state.open_batches(plan))
    document = {**report.as_json(), "state": state.uri, "batches_left": left}
    texts = [report_text(report)] if report.counts else []
    if left:
        texts.append(
            f"{left:,} of {plural(plan.batches, 'batch')} left of {state.uri}: give the command again"
        )
    if left and runner == "spark":
        document["commands"] = spark_commands(pipeline.spec.name, state.uri, region=region())
        texts.append(f"run them by one of these commands:\n\n{document['commands']}")
    print_answer(output, document, "\n\n".join(texts))
    is_planned = runner == "spark" and not report.counts
    ctx.exit(0 if is_planned else exit_code(report, fail_level, max_quarantined) or int(left > 0))
