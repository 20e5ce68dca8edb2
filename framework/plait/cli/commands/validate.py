"""`plait validate`: every problem of every spec, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait.cli.failures import CannotStart
from plait.cli.options import parameter_option, verdict_options
from plait.cli.printing import plural, print_verdict
from plait.language.validate import Validated, duplicate_names, validate_file
from plait.problems.problem import Problem, Span, by_place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

CASES_ENDING = ".test.yaml"


@click.command("validate")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option(
    "--fail-level",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="The mildest level that gives exit code 1.",
)
@parameter_option
@verdict_options
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
    results = {file: _validate(file, parameters) for file in _without_repeats(specs or _specs_here())}
    texts = {file: validated.text for file, validated in results.items()}
    in_files = [problem for validated in results.values() for problem in validated.problems]
    problems = sorted([*in_files, *duplicate_names(results)], key=by_place)
    lines = [_counts(problems, results)]
    print_verdict(output, problems, texts, lines, everything=everything, specs=[*results])
    ctx.exit(1 if any(fail_level in (problem.level, "warning") for problem in problems) else 0)


def _specs_here() -> list[str]:
    files = [file for file in Path("pipelines").glob("*.yaml") if not file.name.endswith(CASES_ENDING)]
    if not files:
        message = "no spec is called pipelines/*.yaml here"
        raise CannotStart(message, code="no-specs", help="name the files, or go to the project's folder")
    return sorted(map(str, files))


def _without_repeats(files: Sequence[str]) -> list[str]:
    """The files in their order, each once, under the name given first."""
    return [*{Path(file).resolve(): file for file in reversed(files)}.values()][::-1]


def _validate(file: str, parameters: Mapping[str, str]) -> Validated:
    return _validate_cases(file) if file.endswith(CASES_ENDING) else validate_file(file, parameters)


def _validate_cases(file: str) -> Validated:
    """The problems of a file of cases; one problem stands for all problems of its spec."""
    from plait.testing.cases.suite import load, spec_of

    suite = load(spec_of(file))
    problems = [problem for problem in suite.problems if problem.file == file]
    number = len(suite.problems) - len(problems)
    if number:
        invalid_spec = Problem(
            code="invalid-spec",
            message=f"`{suite.spec}`, beside which these cases stand, has {plural(number, 'problem')}",
            file=file,
            span=Span(1, 1, 1, 1),
            help=f"run `plait validate {suite.spec}`",
        )
        problems.insert(0, invalid_spec)
    return Validated(None, tuple(problems), suite.texts[file])


def _counts(problems: Sequence[Problem], files: Collection[str]) -> str:
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    cases = sum(file.endswith(CASES_ENDING) for file in files)
    counts = [plural(len(files) - cases, "spec")] if cases < len(files) else []
    counts += [plural(cases, "file") + " of cases"] if cases else []
    counts += [plural(errors, "problem") if errors else "no problems"]
    counts += [plural(warnings, "warning")] if warnings else []
    return ", ".join(counts) + ("; `plait explain CODE` tells more" if problems else "")
