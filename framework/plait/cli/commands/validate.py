"""`plait validate`: every problem of every spec, offline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait.cli.common import (
    CannotStart,
    coloured,
    output,
    params,
    plural,
    print_github,
    print_json,
    unreadable,
)
from plait.language.validate import Validated, duplicate_names, validate_file
from plait.problems.problem import Problem, Span, place
from plait.problems.render import LIMIT, as_json, full

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CASES = ".test.yaml"


@click.command("validate")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--all", "everything", is_flag=True, help=f"Show more than {LIMIT} problems.")
@click.option(
    "--fail-level",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="The mildest level that gives exit code 1.",
)
@params
@output("text", "json", "github")
@click.pass_context
def command(
    ctx: click.Context,
    specs: Sequence[str],
    everything: bool,
    fail_level: str,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Find every problem of specs, offline; without SPEC, of pipelines/*.yaml."""
    checked = {file: _validate(file, parameters) for file in _unique(specs or _found())}
    texts = {file: one.text for file, one in checked.items()}
    found = [problem for one in checked.values() for problem in one.problems]
    problems = sorted([*found, *duplicate_names(checked)], key=place)
    if output == "json":
        print_json({"specs": [*checked], "problems": as_json(problems)})
    elif output == "github":
        print_github(problems)
    else:
        _print(problems, texts, everything)
    ctx.exit(1 if any(fail_level in (problem.level, "warning") for problem in problems) else 0)


def _found() -> list[str]:
    files = sorted(str(file) for file in Path("pipelines").glob("*.yaml") if not file.name.endswith(CASES))
    if not files:
        message = "no spec is called pipelines/*.yaml here"
        raise CannotStart(message, code="no-specs", help="name the files, or go to the project's folder")
    return files


def _unique(files: Sequence[str]) -> list[str]:
    return [*{Path(file).resolve(): file for file in reversed(files)}.values()][::-1]


def _validate(file: str, parameters: Mapping[str, str]) -> Validated:
    try:
        if file.endswith(CASES):
            return _cases(file)
        return validate_file(file, parameters)
    except OSError as error:
        raise unreadable(file, error) from error


def _cases(file: str) -> Validated:
    """The problems of a file of cases; those of its spec are told where the spec is named."""
    from plait.testing.cases.suite import load, spec_of

    suite = load(spec_of(file))
    bad = [problem for problem in suite.problems if problem.file != file]
    if bad:
        message = f"`{suite.spec}`, beside which these cases stand, has {plural(len(bad), 'problem')}"
        bad = [
            Problem(
                code="invalid-spec",
                message=message,
                file=file,
                span=Span(1, 1, 1, 1),
                help=f"run `plait validate {suite.spec}`",
            )
        ]
    return Validated(None, (*bad, *suite.file.problems), suite.file.text)


def _print(problems: Sequence[Problem], texts: Mapping[str, str], everything: bool) -> None:
    if problems:
        colour = coloured(sys.stdout)
        click.echo(full(problems, texts, colour, None if everything else LIMIT) + "\n", color=True)
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    counts = [plural(errors, "problem")] if errors else ["no problems"]
    counts += [plural(warnings, "warning")] if warnings else []
    more = "; `--all` shows them all" if len(problems) > LIMIT and not everything else ""
    files = sum(file.endswith(CASES) for file in texts)
    specs = [plural(len(texts) - files, "spec")] if files < len(texts) else []
    specs += [plural(files, "file") + " of cases"] if files else []
    click.echo(", ".join([*specs, *counts]) + more)
