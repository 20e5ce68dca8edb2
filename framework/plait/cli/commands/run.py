"""`plait run`: rows into the lake, and the report."""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING

import click

from plait.cli.common import CannotStart, coloured, load, output, params, print_json, printable, window
from plait.cli.progress import progress_of
from plait.cli.summary import summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plait.aws_lambda.events import Event


@click.command("run")
@click.argument("spec")
@click.option("--event", type=click.File("rb"), help="Over the objects that this event names (a JSON file).")
@click.option("--object", "objects", multiple=True, metavar="URI", help="Over this object. Repeatable.")
@click.option("--all", "everything", is_flag=True, help="Over all objects.")
@window
@click.option("--no-wait", is_flag=True, help="Do not wait for late matches: take objects as they are.")
@params
@output("text", "json")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    ctx: click.Context,
    spec: str,
    event: IO[bytes] | None,
    objects: Sequence[str],
    everything: bool,
    since: datetime | None,
    until: datetime | None,
    no_wait: bool,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Run over the objects of an event, of a list, of a time, or over all, and print the report."""
    if sum((event is not None, bool(objects), everything, bool(since or until))) != 1:
        raise click.UsageError(
            "give exactly one of `--event`, `--object`, `--all`, and `--since` with `--until`"
        )
    pipeline = load(spec, parameters)
    called = _called(event, pipeline.spec.driver.buckets) if event else None
    named = list(called.uris) if called else list(objects) or None
    with progress_of(len(named) if named is not None else None) as progress:
        report = pipeline.run(named, since, until, progress, no_wait=no_wait)
    report.ignored = called.ignored if called else {}
    if output == "json":
        print_json(report.as_json())
    else:
        click.echo(summary(report, colour=coloured(sys.stdout)), color=True)
    ctx.exit(0 if report.ok and not (called and called.unknown) else 1)


def _called(file: IO[bytes], buckets: Sequence[str]) -> Event:
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
