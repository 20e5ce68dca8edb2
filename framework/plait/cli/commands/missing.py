"""`plait missing`: the objects that never arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option, time_options
from plait.cli.printing import print_json, print_problems_on_stderr, uri_line
from plait.engine.report import total_with_parts
from plait.pipeline.nearby import no_objects
from plait.plugin import Window

if TYPE_CHECKING:
    from datetime import datetime


@click.command("missing")
@click.argument("spec")
@time_options
@click.option(
    "--read",
    "most_read",
    type=click.IntRange(0, 10**12),
    default=1_000,
    show_default=True,
    help="Read so many of them at most, to leave out those that rightly give no row.",
)
@parameter_option
@output_option("text", "json")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    ctx: click.Context,
    spec: str,
    since: datetime | None,
    until: datetime | None,
    most_read: int,
    parameters: dict[str, str],
    output: str,
) -> None:
    """List the objects that never arrived: neither a file of the sink nor one of the quarantine is theirs.

    Their URIs are printed one a line, as `plait run SPEC --objects -` takes them. Exit code 1 where there is one.
    """
    pipeline = load_pipeline(spec, parameters)
    objects = pipeline.missing(since, until, most_read)
    if output == "json":
        uris = [*objects]
        print_json({"objects": objects.counts, "missing": uris})
    else:
        for uri in objects:
            click.echo(uri_line(uri))
        listed, *others = objects.counts.items()
        click.echo(total_with_parts(listed[1], "listed", dict(others)), err=True)
    if not objects.counts["listed"]:
        print_problems_on_stderr([no_objects(pipeline.engine(), Window(since=since, until=until))])
    ctx.exit(int(any(objects.counts[word] for word in ("missing", "outdated", "unread"))))
