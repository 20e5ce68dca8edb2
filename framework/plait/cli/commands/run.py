"""`plait run`: write rows into the lake, and print the report."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING

import click

from plait.cli.failures import CannotStart, exit_code
from plait.cli.loading import load_pipeline
from plait.cli.options import (
    object_options,
    output_option,
    parameter_option,
    time_options,
    verbose_option,
    verdict_of_run_options,
)
from plait.cli.printing import print_answer
from plait.cli.views.progress import object_progress
from plait.cli.views.report import report_text
from plait.problems.problem import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plait.aws_lambda.events import Event
    from plait.cli.options import QuarantineLimit


@click.command("run")
@click.argument("spec")
@click.option("--event", type=click.File("rb"), help="Over the objects that this event names (a JSON file).")
@object_options
@click.option("--all", "everything", is_flag=True, help="Over all objects.")
@time_options
@click.option("--no-wait", is_flag=True, help="Do not wait for late matches: take objects as they are.")
@verdict_of_run_options
@parameter_option
@verbose_option
@output_option("text", "json")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    ctx: click.Context,
    spec: str,
    event: IO[bytes] | None,
    objects: Sequence[str] | None,
    everything: bool,
    since: datetime | None,
    until: datetime | None,
    no_wait: bool,
    max_quarantined: QuarantineLimit | None,
    fail_level: str,
    parameters: dict[str, str],
    verbose: bool,
    output: str,
) -> None:
    """Run over the objects of an event, of a list, of a time, or over all, and print the report."""
    if sum((event is not None, objects is not None, everything, bool(since or until))) != 1:
        raise click.UsageError(
            "give exactly one of `--event`, `--object` or `--objects`, `--all`, and `--since` with `--until`"
        )
    pipeline = load_pipeline(spec, parameters)
    read_event = _read_event(event, pipeline.spec.driver.buckets) if event else None
    uris = list(read_event.uris) if read_event else objects
    with object_progress(len(uris) if uris is not None else None) as progress:
        report = pipeline.run(uris, since, until, progress, no_wait=no_wait)
    report.ignored = read_event.ignored if read_event else {}
    print_answer(output, report.as_json(), report_text(report, verbose=verbose))
    is_unknown = read_event is not None and bool(read_event.unknown)
    ctx.exit(exit_code(report, fail_level, max_quarantined) or int(is_unknown))


def _read_event(file: IO[bytes], buckets: Sequence[str]) -> Event:
    """Read an event; print messages that name no object; raises CannotStart if no message names an object."""
    from plait.aws_lambda.events import unwrap

    try:
        event = unwrap(json.loads(file.read()), buckets)
    except (ValueError, RecursionError) as error:
        raise CannotStart(f"`{file.name}` is no JSON", code="unknown-event") from error
    for message in event.unknown:
        number = printable(message.id) or "1"
        click.echo(f"error: message {number} names no object: {message.unknown}", err=True)
    if len(event.unknown) == len(event.messages):
        raise CannotStart(f"`{file.name}` names no object", code="unknown-event", help="give an event of S3")
    return event
