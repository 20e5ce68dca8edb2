"""`plait test`: the cases beside specs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.cli.common import CannotStart, coloured, output, plural, print_github, print_json, unreadable
from plait.problems.problem import Problem, place
from plait.problems.render import LIMIT, as_json, full
from plait.testing.cases.suite import ENDING, Result, Suite, cases_of, load, run, spec_of, update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.testing.cases.case import Case


@dataclass(frozen=True, slots=True)
class Ran:
    """One spec whose cases ran; `updated` are those that now expect what came."""

    suite: Suite
    results: list[Result]
    updated: list[Case]

    @property
    def problems(self) -> list[Problem]:
        """The problems of the files, then of the cases that failed and were not updated."""
        failed = (problem for one in self.results if not self.holds(one) for problem in one.problems)
        return sorted([*self.suite.problems, *failed], key=place)

    def holds(self, result: Result) -> bool:
        """Whether what came is what is expected, if need be by now."""
        return not result.problems or result.case in self.updated


@click.command("test")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("-k", "part", metavar="TEXT", help="Only cases with this text in their name.")
@click.option("--update", "rewrite", is_flag=True, help="Rewrite what failing cases expect to what came.")
@click.option("--all", "everything", is_flag=True, help=f"Show more than {LIMIT} problems.")
@output("text", "json", "github")
@click.pass_context
def command(
    ctx: click.Context, specs: Sequence[str], part: str | None, rewrite: bool, everything: bool, output: str
) -> None:
    """Run the cases beside specs (NAME.test.yaml), without AWS, network or clock; without SPEC, all of pipelines/."""
    suites = [_loaded(spec) for spec in _named(specs)]
    chosen = [[case for case in one.file.cases if _has(case, part)] for one in suites]
    if part and not any(chosen) and not any(one.problems for one in suites):
        raise CannotStart(f"no case has `{part[:40]}` in its name", code="no-cases")
    ran = [_ran(one, cases, rewriting=rewrite) for one, cases in zip(suites, chosen, strict=True)]
    problems = [problem for one in ran for problem in one.problems]
    if output == "json":
        print_json({"specs": [_plain(one) for one in ran], "problems": as_json(problems)})
    elif output == "github":
        print_github(problems)
    else:
        _print(ran, problems, everything)
    ctx.exit(1 if any(problem.level == "error" for problem in problems) else 0)


def _named(specs: Sequence[str]) -> list[str]:
    files = specs or sorted(str(file) for file in Path("pipelines").glob(f"*{ENDING}"))
    if not files:
        message = f"no cases are called pipelines/*{ENDING} here"
        raise CannotStart(message, code="no-cases", help="name the specs, or go to the project's folder")
    return list(dict.fromkeys(spec_of(one) if one.endswith(ENDING) else one for one in files))


def _loaded(spec: str) -> Suite:
    try:
        return load(spec)
    except OSError as error:
        file = str(error.filename or spec)
        if file == cases_of(spec) and isinstance(error, FileNotFoundError):
            message = f"`{spec}` has no cases"
            raise CannotStart(message, code="no-cases", help=f"write them into `{file}`") from error
        raise unreadable(file, error) from error


def _has(case: Case, part: str | None) -> bool:
    return part is None or part.casefold() in case.name.casefold()


def _ran(one: Suite, cases: Sequence[Case], *, rewriting: bool) -> Ran:
    results = run(one, cases)
    return Ran(one, results, update(one, results) if rewriting else [])


def _plain(ran: Ran) -> dict[str, Any]:
    updated = [case.name for case in ran.updated]
    cases = [{"name": one.case.name, "holds": ran.holds(one)} for one in ran.results]
    return {"spec": ran.suite.spec, "file": ran.suite.file.file, "cases": cases, "updated": updated}


def _print(ran: Sequence[Ran], problems: Sequence[Problem], everything: bool) -> None:
    if problems:
        texts = {file: text for one in ran for file, text in one.suite.texts.items()}
        limit = None if everything else LIMIT
        click.echo(full(problems, texts, coloured(sys.stdout), limit) + "\n", color=True)
    for one in ran:
        for case in one.updated:
            click.echo(f"updated `{case.name}` in {one.suite.file.file}")
    failed = sum(not one.holds(result) for one in ran for result in one.results)
    parts = [plural(len(ran), "spec"), plural(sum(len(one.results) for one in ran), "case")]
    broken = sum(problem.level == "error" for one in ran for problem in one.suite.problems)
    parts += [plural(broken, "problem")] if broken else []
    if failed or not broken:
        parts.append(f"{failed:,} failed" if failed else "all hold")
    more = "; `--all` shows them all" if len(problems) > LIMIT and not everything else ""
    click.echo(", ".join(parts) + more)
