"""`plait quarantine`: what is in quarantine, and why."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from plait.cli.failures import CannotStart
from plait.cli.loading import load_with_quarantine
from plait.cli.options import output_option, parameter_option
from plait.cli.printing import print_answer
from plait.cli.views.quarantine import (
    MAX_RECORDS,
    fault_counts,
    list_document,
    list_text,
    record_document,
    record_text,
)
from plait.problems.problem import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@click.command("quarantine")
@click.argument("spec")
@click.argument("shown", nargs=-1, metavar="[show OBJECT [POSITION]]")
@parameter_option
@output_option("text", "json")
def command(spec: str, shown: Sequence[str], parameters: dict[str, str], output: str) -> None:
    """Show what is in quarantine by code and column, or the records of one OBJECT beside the columns that refused them.

    POSITION chooses one of the records of an object that has several.
    """
    if shown and (shown[0] != "show" or len(shown) not in {2, 3}):
        raise click.UsageError("write `show OBJECT` or `show OBJECT POSITION` behind the spec, or nothing")
    pipeline = load_with_quarantine(spec, parameters)
    replay = _command("replay", spec, parameters)
    if not shown:
        total, counts = fault_counts(pipeline.quarantined())
        document = list_document(pipeline.spec, total, counts)
        steps = f"\n\nshow one: {_command('quarantine', spec, parameters)} show OBJECT\nonce mended: {replay}"
        text = list_text(pipeline.spec, total, counts) + (steps if total else "")
        print_answer(output, {**document, "next": replay}, text)
        return
    uri, *positions = shown[1:]
    records = [
        record
        for record in pipeline.quarantined(uri, with_raw=True)
        if not positions or record.position == positions[0]
    ]
    if not records:
        what = " ".join(f"`{text[:200]}`" for text in (uri, *positions))
        help = "`plait quarantine SPEC` has an example of each kind"
        raise CannotStart(f"no record of {what} is in quarantine", code="not-in-quarantine", help=help)
    texts = [record_text(pipeline, record) for record in records[:MAX_RECORDS]]
    if len(records) > MAX_RECORDS:
        texts.append(f"{len(records) - MAX_RECORDS:,} more records of the object: name a position")
    replay = f"{replay} --code {records[0].faults[0].code}"
    document = {"records": [record_document(pipeline.spec, record) for record in records], "next": replay}
    print_answer(output, document, "\n\n".join([*texts, f"once mended: {replay}"]))


def _command(name: str, spec: str, parameters: Mapping[str, str]) -> str:
    """A command on the same spec, to be copied."""
    values = (f"--param={parameter}={value}" for parameter, value in parameters.items())
    return printable(shlex.join(["plait", name, spec, *values]))
