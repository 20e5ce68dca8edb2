"""`plait why`: where each cell of an object's rows came from, and why it is null if it is."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from plait.cli.loading import engine_of, load_pipeline
from plait.cli.options import given_option, output_option, parameter_option
from plait.cli.printing import coloured, print_json, print_problems_on_stderr
from plait.cli.views.rows import print_lines
from plait.pipeline.why import MOST
from plait.problems.problem import Problem, excerpt, printable
from plait.problems.render import full
from plait.values.json_value import json_value
from plait.values.lookup_path import path_text

if TYPE_CHECKING:
    from plait.pipeline.why import Cell, Why

MAX_SHOWN = 60  # characters of a value


@click.command("why")
@click.argument("spec")
@click.argument("uri")
@click.option("--column", metavar="NAME", help="Tell of this column alone.")
@click.option(
    "--position",
    metavar="NUMBER",
    help="Tell of the record with this number in the object alone, such as a line's.",
)
@given_option
@parameter_option
@output_option("text", "json")
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    spec: str,
    uri: str,
    column: str | None,
    position: str | None,
    cases: str | None,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Tell where each cell of the rows of one object came from, and why it is null if it is.

    The object is run for real, and nothing is written. The first 20 of its records and rows are shown, with the values of their columns.
    """
    pipeline = load_pipeline(spec, parameters)
    why = pipeline.why(uri, column, position, engine_of(pipeline, cases))
    if output == "json":
        print_json(json_value(why))
    else:
        taken = " that `only` takes" if pipeline.spec.driver.only else ""
        _print(why, pipeline.spec.driver.open_driver().position_word, f"no such record{taken}")
    if why.outcome in ("failed", "retry"):
        raise click.exceptions.Exit(1)


def _print(why: Why, position_word: str, nothing: str) -> None:
    """Print a block for each row, and a line for each of its cells."""
    reasons = {
        "skipped": ": it does not fit the driving source",
        "done": "" if why.rows else f": {nothing}",
    }
    click.echo(f"{printable(why.object)}: {why.outcome}{reasons.get(why.outcome, '')}")
    for number, row in enumerate(why.rows, 1):
        position = f", {position_word} {row.position}" if row.position else ""
        click.echo(f"\nrow {number}{position}: {row.outcome}")
        for origin, cells in groupby(row.cells, _origin_of):
            print_lines(origin, [(cell.column, _shown(cell.value), _source_of(cell)) for cell in cells])
        if row.faults:
            words = ({name: text for name, text in fault.items() if name != "column"} for fault in row.faults)
            problems = [Problem(**fault) for fault in words]  # type: ignore[arg-type]
            click.echo(full(problems, {}, coloured(sys.stdout)), color=True)
    if not why.rows and why.problems:
        print_problems_on_stderr(why.problems)
    if len(why.rows) == MOST:
        click.echo(f"the first {MOST} are shown", err=True)


def _shown(value: Any) -> Any:
    """A value as JSON has it; of a long one, the beginning as text."""
    text = _text(value)
    return json_value(value) if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _text(value: Any) -> str:
    value = json_value(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _source_of(cell: Cell) -> str:
    """The field of another name that a cell came from, and why there was no value."""
    field = "" if cell.field == cell.column.rpartition(".")[2] else cell.field
    cause = (cell.cause or "").replace("-", " ")
    return ": ".join(part for part in (field, "default" if cell.default else "", cause, cell.note) if part)


def _origin_of(cell: Cell) -> str:
    """Which record a cell came from, or which key found none."""
    key = ", ".join(f"{name} = {excerpt(_text(value))}" for name, value in cell.key.items())
    parts = (key, cell.place, cell.position, cell.time and path_text(cell.time), cell.line)
    return printable(f"{cell.source}: {', '.join(part for part in parts if part)}")
