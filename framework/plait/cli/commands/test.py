"""`plait test`: run the cases beside specs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.cli.failures import CannotStart
from plait.cli.options import verdict_options
from plait.cli.printing import plural, print_verdict
from plait.problems.problem import by_place
from plait.testing.cases.suite import CASES_ENDING, cases_of, load, run, spec_of, update

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.problems.problem import Problem
    from plait.testing.cases.case import Suite
    from plait.testing.cases.suite import CaseResult


@click.command("test")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("-k", "part", default="", metavar="TEXT", help="Only cases with this text in their name.")
@click.option("--update", "rewrite", is_flag=True, help="Rewrite what failing cases expect to what came.")
@verdict_options
@click.pass_context
def command(
    ctx: click.Context, specs: Sequence[str], part: str, rewrite: bool, everything: bool, output: str
) -> None:
    """Run the cases beside specs (NAME.test.yaml), without AWS, network or clock; without SPEC, all of pipelines/."""
    suites = [_load(spec) for spec in _specs(specs)]
    runs = [(suite, _run(suite, part, rewrite=rewrite)) for suite in suites]
    of_files = [problem for suite in suites for problem in suite.problems]
    results = [result for _, of_suite in runs for result in of_suite]
    if part and not results and not of_files:
        raise CannotStart(f"no case has `{part[:40]}` in its name", code="no-cases")
    problems = sorted(
        [*of_files, *(problem for result in results for problem in result.problems)], key=by_place
    )
    texts = {file: text for suite in suites for file, text in suite.texts.items()}
    documents = [_document(suite, of_suite) for suite, of_suite in runs]
    lines = [f"updated `{name}` in {suite['file']}" for suite in documents for name in suite["updated"]]
    counts = ", ".join([plural(len(suites), "spec"), *_counts(results, of_files)])
    print_verdict(output, problems, texts, [*lines, counts], everything=everything, specs=documents)
    ctx.exit(1 if any(problem.level == "error" for problem in problems) else 0)


def _specs(named: Sequence[str]) -> list[str]:
    """The specs that are named, by themselves or by their cases; without a name, all that have cases."""
    files = named or sorted(str(file) for file in Path("pipelines").glob(f"*{CASES_ENDING}"))
    if not files:
        message = f"no cases are called pipelines/*{CASES_ENDING} here"
        raise CannotStart(message, code="no-cases", help="name the specs, or go to the project's folder")
    return list(dict.fromkeys(spec_of(file) if file.endswith(CASES_ENDING) else file for file in files))


def _load(spec: str) -> Suite:
    file = cases_of(spec)
    if Path(spec).exists() and not Path(file).exists():
        raise CannotStart(f"`{spec}` has no cases", code="no-cases", help=f"write them into `{file}`")
    return load(spec)


def _run(suite: Suite, part: str, *, rewrite: bool) -> list[CaseResult]:
    results = run(suite, [case for case in suite.cases if part.casefold() in case.name.casefold()])
    return update(suite, results) if rewrite else results


def _document(suite: Suite, results: Sequence[CaseResult]) -> dict[str, Any]:
    cases = [{"name": result.case.name, "holds": not result.problems} for result in results]
    updated = [result.case.name for result in results if result.updated]
    return {"spec": suite.spec, "file": suite.file, "cases": cases, "updated": updated}


def _counts(results: Sequence[CaseResult], of_files: Sequence[Problem]) -> Iterator[str]:
    yield plural(len(results), "case")
    failed = sum(bool(result.problems) for result in results)
    broken = sum(problem.level == "error" for problem in of_files)
    if broken:
        yield plural(broken, "problem")
    if failed or not broken:
        yield f"{failed:,} failed" if failed else "all hold"
