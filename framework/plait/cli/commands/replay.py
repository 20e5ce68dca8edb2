"""`plait replay`: run the objects of what is in quarantine again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.failures import exit_code
from plait.cli.loading import load_with_quarantine
from plait.cli.options import output_option, parameter_option, time_options, verdict_of_run_options
from plait.cli.printing import print_answer
from plait.cli.views.progress import object_progress
from plait.cli.views.report import report_text
from plait.engine.report import total_with_parts
from plait.problems.display import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plait.cli.options import QuarantineLimit
    from plait.engine.replay import ReplayReport


@click.command("replay")
@click.argument("spec")
@click.option(
    "--code", "codes", multiple=True, metavar="CODE", help="Objects with a record of this code. Repeatable."
)
@time_options
@click.option("--dry-run", is_flag=True, help="Read and join for real, write and remove nothing.")
@click.option("--forget-gone", is_flag=True, help="Remove the records of objects that are gone.")
@verdict_of_run_options
@parameter_option
@output_option("text", "json")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    ctx: click.Context,
    spec: str,
    codes: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    dry_run: bool,
    forget_gone: bool,
    max_quarantined: QuarantineLimit | None,
    fail_level: str,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Run the objects of the records in quarantine again, and remove the records that now succeed.

    An object is read as it is now, and the records that are still bad stay, with the reason of now.
    """
    pipeline = load_with_quarantine(spec, parameters)
    with object_progress(None) as progress:
        replayed = pipeline.replay(codes, since, until, progress, dry_run=dry_run, forget_gone=forget_gone)
    print_answer(output, replayed.as_json(), _replay_text(replayed))
    ctx.exit(exit_code(replayed.run, fail_level, max_quarantined) or int(not replayed.ok))


def _replay_text(replayed: ReplayReport) -> str:
    from plait.engine.replay import FATES

    names = {"removed": "would be removed" if replayed.dry_run else "removed", "bad": "still bad"}
    counts = {names.get(fate, fate): replayed.records[fate] for fate in FATES}
    quarantine = aligned([("quarantine", total_with_parts(replayed.found, "found", counts))])
    return f"{quarantine}\n\n{report_text(replayed.run)}"
