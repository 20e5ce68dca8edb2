"""`plait backfill`: run over history in batches, and go on where it stopped."""

from __future__ import annotations

import math
from contextlib import closing
from hashlib import file_digest, sha256
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

import click

from plait.aws.environment import region
from plait.backfill.backfill import Backfill, items_of
from plait.backfill.inventory import get_manifest, read_inventory
from plait.backfill.spark_commands import spark_commands
from plait.cli.failures import exit_code
from plait.cli.loading import load_pipeline
from plait.cli.options import (
    check_services,
    max_rate_option,
    output_option,
    parameter_option,
    parse_folder,
    parse_machine,
    time_options,
    uris_in,
    verbose_option,
    verdict_of_run_options,
)
from plait.cli.printing import print_answer, print_problems_on_stderr
from plait.cli.views.backfill import BackfillProgress
from plait.cli.views.costs import estimate_document, estimate_text
from plait.cli.views.report import report_text
from plait.engine.context import Services
from plait.plan.estimate import estimate
from plait.plugin import TryAgain, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from plait.cli.options import QuarantineLimit
    from plait.engine.report import Report
    from plait.language.spec import Spec
    from plait.pipeline.pipeline import Pipeline
    from plait.plugin import Item


AT_ONCE = 10  # invocations of the function, unless told: what is new is not to wait behind what is old
ONE_LIST = "give exactly one of `--all`, `--objects`, `--manifest`, and `--since` with `--until`"


@click.command("backfill")
@click.argument("spec")
@click.option("--all", "everything", is_flag=True, help="Over all objects.")
@time_options
@click.option("--objects", "file", type=click.File("rb"), help="Over the objects of this file, a URI a line.")
@click.option(
    "--manifest", metavar="URI", help="Over the objects of an S3 Inventory, by its `manifest.json`."
)
@click.option(
    "--allow-missing",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="Go on though this look-up no longer keeps all of that time. Repeatable.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 10**12),
    help="Run so many processes, or invocations at a time.  [default: 1, or 10 on stepfunctions]",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 1_000),
    default=1_000,
    show_default=True,
    help="Objects of a batch, at most; a plan that stands keeps its own.",
)
@click.option(
    "--state",
    metavar="FOLDER",
    type=parse_folder,
    help="Keep the plan and its markers below this folder, not beside the sink.",
)
@click.option(
    "--on",
    "runner",
    type=click.Choice(["local", "stepfunctions", "spark"]),
    default="local",
    show_default=True,
    help="Where batches run; of Spark, the commands that run them are printed.",
)
@click.option(
    "--state-machine",
    "machine",
    metavar="ARN",
    type=parse_machine,
    help="The state machine of the stack, for --on stepfunctions.",
)
@click.option("--resume-anyway", is_flag=True, help="Go on with what another version of plait began.")
@max_rate_option
@click.option("--dry-run", is_flag=True, help="Tell what is left, its calls, price and time; run nothing.")
@verdict_of_run_options
@parameter_option
@verbose_option
@output_option("text", "json")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    ctx: click.Context,
    spec: str,
    everything: bool,
    since: datetime | None,
    until: datetime | None,
    file: IO[bytes] | None,
    manifest: str | None,
    allowed: Sequence[str],
    workers: int | None,
    batch: int,
    state: str | None,
    runner: str,
    machine: str | None,
    resume_anyway: bool,
    max_rates: dict[str, float],
    dry_run: bool,
    max_quarantined: QuarantineLimit | None,
    fail_level: str,
    parameters: dict[str, str],
    verbose: bool,
    output: str,
) -> None:
    """Run over history in batches: over the objects of a time, of a list, or all.

    The objects are listed once. The same command again goes on with what is not done, and reports on all; --dry-run tells what is left.
    """
    if sum((everything, bool(file), bool(manifest), bool(since or until) and not manifest)) != 1:
        raise click.UsageError(ONE_LIST)
    _check_runner(runner, machine, workers, max_rates)
    pipeline, window = load_pipeline(spec, parameters), Window(since=since, until=until)
    _check_names(allowed, max_rates, pipeline.spec)
    backfill = Backfill(pipeline, window, *_items_of(pipeline, file, manifest), state)
    if machine:
        backfill.require_state_of_function()
    if dry_run:
        _print_estimate(backfill, batch, workers, max_rates, output, machine)
        ctx.exit()
    plan = backfill.plan(batch, anyway=resume_anyway)
    backfill.require_kept(allowed)
    to_run = f"{len(backfill.state.open_numbers()):,} of {plan.batches:,} batches to run; state: {backfill.state.uri}"
    click.echo(f"{plan.objects:,} objects, listed at {plan.taken_at}: {to_run}", err=True)
    try:
        if runner != "spark":
            _follow(backfill, workers, max_rates, machine)
    finally:  # also where Ctrl-C or SIGTERM ends it
        report = backfill.report()
        left = _print_report(backfill, report, output, max_rates, on_spark=runner == "spark", verbose=verbose)
    is_planned = runner == "spark" and left and not report.counts
    ctx.exit(0 if is_planned else exit_code(report, fail_level, max_quarantined) or int(left > 0))


def _check_runner(runner: str, machine: str | None, workers: int | None, rates: dict[str, float]) -> None:
    if (runner == "stepfunctions") != bool(machine) or (machine and rates):
        raise click.UsageError("give `--on stepfunctions` with `--state-machine`, and without `--max-rate`")
    if runner == "spark" and workers:
        raise click.UsageError("leave out `--workers`: the commands that `--on spark` prints say how many")


def _check_names(allowed: Sequence[str], rates: dict[str, float], spec: Spec) -> None:
    check_services(spec, rates)
    if unknown := {*allowed} - {source.name for source in spec.lookups}:
        raise click.BadParameter(f"no look-up is called `{min(unknown)[:40]}`", param_hint="--allow-missing")


def _print_report(
    backfill: Backfill, report: Report, output: str, rates: dict[str, float], *, on_spark: bool, verbose: bool
) -> int:
    """Print the report, and the commands by which Spark runs what is left; return how many batches are."""
    left = len(backfill.state.open_numbers())
    document = {**report.as_json(), "state": backfill.state.uri, "batches_left": left}
    texts = [report_text(report, verbose=verbose)]
    if left and on_spark:
        texts = texts if report.counts else []  # where it was only planned, nothing is to report
        max_rate = ",".join(f"{service}={rate:g}" for service, rate in rates.items())
        document["commands"] = spark_commands(backfill.spec.name, backfill.state.uri, max_rate, region())
        texts.append(f"run what is left by one of these commands:\n\n{document['commands']}")
    print_answer(output, document, "\n\n".join(texts))
    return left


def _items_of(
    pipeline: Pipeline, file: IO[bytes] | None, manifest: str | None
) -> tuple[Iterable[Item] | None, str | None]:
    """The objects of a list, or those of an inventory that the driver reads, and what tells it from others; None where there is none."""
    objects = Services().objects
    if file is None and manifest is None:
        return None, None
    if file is None:
        data = get_manifest(manifest or "", objects)
        accepts = pipeline.engine().driver.accepts
        items = (item for item in read_inventory(data, objects) if accepts(item.uri))
        return items, sha256(data).hexdigest()[:12]
    if not file.seekable():  # it is read twice, and may be longer than the memory
        stream, file = file, TemporaryFile()  # noqa: SIM115 - it is read until the plan stands
        copyfileobj(stream, file)
        file.seek(0)
    name = file_digest(cast("Any", file), "sha256").hexdigest()[:12]
    file.seek(0)
    lines = (line.decode("utf-8", "surrogateescape").rstrip("\r\n") for line in file)
    return items_of(uris_in(lines)), name


def _print_estimate(
    backfill: Backfill,
    batch: int,
    workers: int | None,
    rates: dict[str, float],
    output: str,
    machine: str | None,
) -> None:
    left = backfill.left(batch)
    if not left and not ((plan := backfill.state.find_plan()) and plan.objects):
        print_problems_on_stderr([backfill.no_objects()])
    objects = sum(objects for objects, _ in left)
    size = sum(size for _, size in left) or (None if objects else 0)  # a list of URIs tells none
    processes = workers or (AT_ONCE if machine else 1)
    batch = math.ceil(objects / len(left)) if left else batch
    told = estimate(backfill.spec, objects, batch, processes, rates, by_function=bool(machine))
    print_answer(output, estimate_document(told, size), estimate_text(told, size))


def _follow(backfill: Backfill, workers: int | None, rates: dict[str, float], machine: str | None) -> None:
    """Run what is left here, or by a state machine, and show how far it is."""
    left = backfill.left()
    progress = BackfillProgress(len(left), sum(objects for objects, _ in left))
    if machine is None:
        outcomes = backfill.run(workers or 1, rates)
    else:
        outcomes = backfill.run_on_step_functions(machine, workers or AT_ONCE)
    try:
        with closing(outcomes):
            for outcome in outcomes:
                progress.add(outcome)
    except (KeyboardInterrupt, TryAgain):
        if machine is not None:
            click.echo("\nan execution that was started goes on; the same command follows it again", err=True)
        raise
    finally:
        progress.close()
