"""`plait test`: run the cases beside specs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.cli.failures import CannotStart, unreadable_file
from plait.cli.options import output_option
from plait.cli.printing import plural, print_github, print_json, print_problems
from plait.problems.problem import Problem, as_json, by_place
from plait.problems.render import MAX_SHOWN
from plait.testing.cases.suite import CASES_ENDING, CaseResult, Suite, cases_of, load, run, spec_of, update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.testing.cases.case import Case


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """A spec whose cases ran; `updated` are the cases that were rewritten to expect what came."""

    suite: Suite
    results: list[CaseResult]
    updated: list[Case]

    @property
    def problems(self) -> list[Problem]:
        """The problems of the files, then of the cases that failed and were not updated."""
        failures = (
            problem for result in self.results if not self.holds(result) for problem in result.problems
        )
        return sorted([*self.suite.problems, *failures], key=by_place)

    def holds(self, result: CaseResult) -> bool:
        """Whether the case passes, counting cases that were just rewritten."""
        return not result.problems or result.case in self.updated


@click.command("test")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("-k", "part", metavar="TEXT", help="Only cases with this text in their name.")
@click.option("--update", "rewrite", is_flag=True, help="Rewrite what failing cases expect to what came.")
@click.option("--all", "everything", is_flag=True, help=f"Show more than {MAX_SHOWN} problems.")
@output_option("text", "json", "github")
@click.pass_context
def command(
    ctx: click.Context, specs: Sequence[str], part: str | None, rewrite: bool, everything: bool, output: str
) -> None:
    """Run the cases beside specs (NAME.test.yaml), without AWS, network or clock; without SPEC, all of pipelines/."""
    suites = [_load(spec) for spec in _specs(specs)]
    chosen = [[case for case in suite.file.cases if _matches(case, part)] for suite in suites]
    if part and not any(chosen) and not any(suite.problems for suite in suites):
        raise CannotStart(f"no case has `{part[:40]}` in its name", code="no-cases")
    runs = [_run(suite, cases, rewrite=rewrite) for suite, cases in zip(suites, chosen, strict=True)]
    problems = [problem for suite_run in runs for problem in suite_run.problems]
    if output == "json":
        print_json({"specs": [_document(suite_run) for suite_run in runs], "problems": as_json(problems)})
    elif output == "github":
        print_github(problems)
    else:
        _print(runs, problems, everything)
    ctx.exit(1 if any(problem.level == "error" for problem in problems) else 0)


def _specs(named: Sequence[str]) -> list[str]:
    """The specs that are named, by themselves or by their cases; without a name, all that have cases."""
    files = named or sorted(str(file) for file in Path("pipelines").glob(f"*{CASES_ENDING}"))
    if not files:
        message = f"no cases are called pipelines/*{CASES_ENDING} here"
        raise CannotStart(message, code="no-cases", help="name the specs, or go to the project's folder")
    return list(dict.fromkeys(spec_of(file) if file.endswith(CASES_ENDING) else file for file in files))


def _load(spec: str) -> Suite:
    try:
        return load(spec)
    except OSError as error:
        file = str(error.filename or spec)
        if file == cases_of(spec) and isinstance(error, FileNotFoundError):
            message = f"`{spec}` has no cases"
            raise CannotStart(message, code="no-cases", help=f"write them into `{file}`") from error
        raise unreadable_file(file, error) from error


def _matches(case: Case, part: str | None) -> bool:
    return part is None or part.casefold() in case.name.casefold()


def _run(suite: Suite, cases: Sequence[Case], *, rewrite: bool) -> SuiteRun:
    results = run(suite, cases)
    return SuiteRun(suite, results, update(suite, results) if rewrite else [])


def _document(suite_run: SuiteRun) -> dict[str, Any]:
    updated = [case.name for case in suite_run.updated]
    cases = [{"name": result.case.name, "holds": suite_run.holds(result)} for result in suite_run.results]
    suite = suite_run.suite
    return {"spec": suite.spec, "file": suite.file.file, "cases": cases, "updated": updated}


def _print(runs: Sequence[SuiteRun], problems: Sequence[Problem], everything: bool) -> None:
    if problems:
        texts = {file: text for suite_run in runs for file, text in suite_run.suite.texts.items()}
        print_problems(problems, texts, None if everything else MAX_SHOWN)
    for suite_run in runs:
        for case in suite_run.updated:
            click.echo(f"updated `{case.name}` in {suite_run.suite.file.file}")
    more = "; `--all` shows them all" if len(problems) > MAX_SHOWN and not everything else ""
    click.echo(", ".join(_counts(runs)) + more)


def _counts(runs: Sequence[SuiteRun]) -> list[str]:
    failed = sum(not suite_run.holds(result) for suite_run in runs for result in suite_run.results)
    broken = sum(problem.level == "error" for suite_run in runs for problem in suite_run.suite.problems)
    counts = [plural(len(runs), "spec"), plural(sum(len(suite_run.results) for suite_run in runs), "case")]
    if broken:
        counts.append(plural(broken, "problem"))
    if failed or not broken:
        counts.append(f"{failed:,} failed" if failed else "all hold")
    return counts
