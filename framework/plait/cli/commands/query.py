"""`plait query`: what the lake answers to SQL."""

from __future__ import annotations

import csv
import sys

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option
from plait.cli.printing import plural, print_json
from plait.cli.views.rows import print_rows
from plait.pipeline.query import query
from plait.plugin import GiveUp
from plait.values.json_value import cell_text, json_value


@click.command("query")
@click.argument("spec")
@click.argument("sql")
@click.option(
    "--limit", type=click.IntRange(1, 10**12), default=1_000, show_default=True, help="At most so many rows."
)
@click.option(
    "--workgroup", default="primary", show_default=True, metavar="NAME", help="The workgroup of Athena."
)
@click.option(
    "--results",
    metavar="S3-FOLDER",
    help="Where Athena may put its results, which are removed; without it, beside the lake.",
)
@parameter_option
@output_option("text", "json", "csv")
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    spec: str,
    sql: str,
    limit: int,
    workgroup: str,
    results: str | None,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Ask the lake of SPEC by SQL, and show the rows.

    Athena answers where the sink has a table, in an order of its own; elsewhere DuckDB, for which the lake is called as
    the pipeline is.
    """
    table = query(load_pipeline(spec, parameters).plan(), sql, workgroup, results)
    names = table.column_names
    columns = [column.to_pylist(maps_as_pydicts="strict") for column in table.slice(0, limit).columns]
    rows = [[json_value(value) for value in row] for row in zip(*columns, strict=True)]
    if output == "json":
        if len({*names}) < len(names):
            message = "two columns of the answer have one name"
            raise GiveUp(message, code="wrong-query", help="give each its own by `as`")
        print_json(
            {
                "columns": names,
                "rows": [dict(zip(names, row, strict=True)) for row in rows],
                "row_count": table.num_rows,
            }
        )
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(["" if value is None else cell_text(value) for value in row] for row in rows)
    else:
        print_rows(names, rows)
    if output == "text" or table.num_rows > limit:
        more = f" of {table.num_rows:,}; `--limit` shows more" if table.num_rows > limit else ""
        click.echo(f"{plural(len(rows), 'row')}{more}", err=True)
