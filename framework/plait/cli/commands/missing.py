"""`plait missing`: the objects that never arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option, time_options
from plait.cli.printing import print_json, uri_line
from plait.engine.report import total_with_parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@click.command("missing")
@click.argument("spec")
@time_options
@click.option(
    "--read",
    "most_read",
    type=click.IntRange(min=0),
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
    objects = load_pipeline(spec, parameters).missing(since, until, most_read)
    if output == "json":
        uris = [*objects]
        print_json({"objects": dict(objects.counts), "missing": uris})
    else:
        for uri in objects:
            click.echo(uri_line(uri))
        click.echo(_sums(objects.counts), err=True)
    ctx.exit(int(objects.counts["missing"] > 0))


def _sums(counts: Mapping[str, int]) -> str:
    """What became of the objects, in words."""
    words = {"arrived": "arrived", "empty": "without rows", "gone": "gone", "missing": "missing"}
    parts = {word: counts[name] for name, word in words.items()}
    lines = [total_with_parts(counts["listed"], "listed", parts)]
    if counts["outdated"]:
        lines.append(f"missing, with files of an older version: {counts['outdated']:,}")
    if counts["unread"]:
        lines.append(f"missing, and not read to see whether they give rows (`--read`): {counts['unread']:,}")
    return "\n".join(lines)
