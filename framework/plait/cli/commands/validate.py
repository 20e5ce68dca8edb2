"""`plait validate`: every problem of every spec, offline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait.cli.failures import CannotStart
from plait.cli.options import allowed_variables, fail_level_option, parameter_option, verdict_options
from plait.cli.printing import plural, print_verdict
from plait.language.document import allowed
from plait.language.validate import duplicate_names, validate_file
from plait.problems.problem import Problem, by_place

if TYPE_CHECKING:
    from collections.abc import Sequence

CASES_ENDING = ".test.yaml"


@click.command("validate")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@fail_level_option
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
    files = _without_repeats(specs or _specs_here())
    environment = allowed(os.environ, allowed_variables())
    results = {
        file: validate_file(file, parameters, environment)
        for file in files
        if not file.endswith(CASES_ENDING)
    }
    texts = {file: validated.text for file, validated in results.items()}
    problems = [problem for validated in results.values() for problem in validated.problems]
    for file in files:
        if file not in results:
            problems += _problems_of_cases(file, texts)
    problems = sorted({*problems, *duplicate_names(results)}, key=by_place)
    counts = _counts(problems, len(results), len(files) - len(results))
    print_verdict(output, problems, texts, [counts], everything=everything, specs=files)
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


def _problems_of_cases(file: str, texts: dict[str, str]) -> Sequence[Problem]:
    """The problems of a file of cases and of its spec, whose texts are added."""
    from plait.testing.cases.suite import load, spec_of

    suite = load(spec_of(file))
    texts |= suite.texts
    return suite.problems


def _counts(problems: Sequence[Problem], specs: int, cases: int) -> str:
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    counts = [plural(specs, "spec")] if specs else []
    counts += [plural(cases, "file") + " of cases"] if cases else []
    counts += [plural(errors, "problem") if errors else "no problems"]
    counts += [plural(warnings, "warning")] if warnings else []
    return ", ".join(counts) + ("; `plait explain CODE` tells more" if problems else "")
