"""`plait replay`: what is in quarantine, run again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from plait.cli.common import CannotStart, aligned, coloured, load, output, params, print_json, window
from plait.cli.progress import progress_of
from plait.cli.summary import listed, summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plait.engine.replay import Replayed


@click.command("replay")
@click.argument("spec")
@click.option(
    "--code", "codes", multiple=True, metavar="CODE", help="Objects with a record of this code. Repeatable."
)
@window
@click.option("--dry-run", is_flag=True, help="Read and join for real, write and remove nothing.")
@click.option("--forget-gone", is_flag=True, help="Remove the records of objects that are gone.")
@params
@output("text", "json")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    ctx: click.Context,
    spec: str,
    codes: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    dry_run: bool,
    forget_gone: bool,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Run the objects of the records in quarantine again, and remove the records that now succeed.

    An object is read as it is now, and the records that are still bad stay, with the reason of now.
    """
    from plait.engine.replay import NO_QUARANTINE

    pipeline = load(spec, parameters)
    if pipeline.spec.quarantine is None:
        raise CannotStart(NO_QUARANTINE, code="no-quarantine", help="add `quarantine` to the spec")
    with progress_of(None) as progress:
        told = pipeline.replay(codes, since, until, progress, dry_run=dry_run, forget_gone=forget_gone)
    if output == "json":
        print_json(told.as_json())
    else:
        click.echo(_text(told, colour=coloured(sys.stdout)), color=True)
    ctx.exit(0 if told.ok else 1)


def _text(told: Replayed, *, colour: bool) -> str:
    from plait.engine.replay import FATES

    names = {"removed": "would be removed" if told.dry_run else "removed", "bad": "still bad"}
    fates = {names.get(fate, fate): told.records[fate] for fate in FATES}
    first = aligned([("quarantine", listed(told.found, "found", fates))])
    return f"{first}\n\n{summary(told.run, colour=colour)}"
