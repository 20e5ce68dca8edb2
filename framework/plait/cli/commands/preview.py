"""`plait preview`: the rows that a run would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.loading import engine_of, load_pipeline
from plait.cli.options import given_option, object_options, output_option, parameter_option, verbose_option
from plait.cli.printing import plural, print_json, print_problems_on_stderr
from plait.cli.views.report import count_texts
from plait.cli.views.rows import print_rows
from plait.pipeline.grouping import grouped
from plait.problems.problem import as_json, printable
from plait.values.json_value import json_value

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("preview")
@click.argument("spec")
@object_options
@click.option(
    "--limit", type=click.IntRange(1, 10**12), default=20, show_default=True, help="At most so many rows."
)
@given_option
@parameter_option
@verbose_option
@output_option("text", "json")
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    spec: str,
    objects: Sequence[str] | None,
    limit: int,
    cases: str | None,
    parameters: dict[str, str],
    verbose: bool,
    output: str,
) -> None:
    """Read and join for real, write nothing, and show the rows.

    Problems of one kind are shown once, with their number. Exit code 1 where nothing could be read.
    """
    pipeline = load_pipeline(spec, parameters, infers=True)
    engine = engine_of(pipeline, cases)
    preview = pipeline.preview_with_report(objects, limit, engine)
    table, report = preview.table, preview.report
    names = table.column_names
    records = table.slice(0, limit).to_pylist(maps_as_pydicts="strict")
    problems, counts = report.with_samples(), report.as_json()
    rows = [{name: json_value(value) for name, value in record.items()} for record in records]
    if output == "json":
        print_json(
            {
                "columns": names,
                "rows": rows,
                "sources": counts["sources"],
                "lookups": counts["lookups"],
                "problems": as_json(problems),
            }
        )
    else:
        print_rows(names, [[row[name] for name in names] for row in rows])
        click.echo("\n\n".join([plural(len(rows), "row"), *count_texts(report, verbose=verbose)]), err=True)
    if preview.guessed:
        click.echo(f"these columns are guessed; declare those that you mean:\n{preview.guessed}", err=True)
    if problems:
        print_problems_on_stderr([*grouped(problems)])
    for uri, outcome in report.outcomes.items():
        if outcome in ("skipped", "gone"):
            click.echo(f"{outcome}: {printable(uri)}", err=True)
    is_read = report.counts["done"] and (report.records.written or not report.records.quarantined)
    if not report.ok or (report.counts.total() and not is_read):
        raise click.exceptions.Exit(1)
