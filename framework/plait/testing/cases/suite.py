"""A spec with its file of cases: load both, run the cases, and update what they expect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plait.language.finding import Finding
from plait.plugin import GiveUp, PlaitError
from plait.testing.cases.read import read_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.source_map import SourceMap
    from plait.problems.problem import Problem
    from plait.testing.cases.case import Case, Outcome, Suite

CASES_ENDING = ".test.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What a case gave, None if the run itself failed; a case without problems holds."""

    case: Case
    outcome: Outcome | None
    problems: tuple[Problem, ...]
    updated: bool = False


def spec_of(cases: str) -> str:
    """The path of the spec that a file of cases belongs to."""
    return cases.removesuffix(CASES_ENDING) + ".yaml"


def cases_of(spec: str) -> str:
    """The path of the file of cases that belongs to a spec."""
    return spec.removesuffix(".yaml") + CASES_ENDING


def load(spec: str) -> Suite:
    """Read a spec and its cases; raises OSError if a file cannot be read."""
    file = cases_of(spec)
    text = Path(spec).read_bytes().decode("utf-8", "replace")
    return read_suite(spec, text, file, Path(file).read_bytes())


def run(suite: Suite, cases: Iterable[Case]) -> list[CaseResult]:
    """Run cases of a suite, one after the other."""
    return [_run(case, suite.source_map) for case in cases] if suite.source_map else []


def _run(case: Case, source_map: SourceMap) -> CaseResult:
    from plait.testing.cases.compare import compare
    from plait.testing.cases.runner import run_case

    outcome = None
    try:
        outcome = run_case(case)
        findings = [*compare(case, outcome)]
    except PlaitError as error:
        findings = [Finding(case.path, error.message, error.help, code=error.code, at="key")]
    named = (replace(finding, message=f"case `{case.name[:60]}`: {finding.message}") for finding in findings)
    problems = tuple(finding.problem(source_map) for finding in named)
    return CaseResult(case=case, outcome=outcome, problems=problems)


def update(suite: Suite, results: Sequence[CaseResult]) -> list[CaseResult]:
    """Rewrite the file so that the failing cases expect what they gave; return the results, in which they hold.

    Raises GiveUp, and leaves the file as it is, if the cases would not hold then.
    """
    from plait.testing.cases.update import rewrite

    failing = [(result.case, result.outcome) for result in results if result.problems and result.outcome]
    if suite.source_map is None or not failing:
        return [*results]
    text = rewrite(suite.source_map, failing)
    updated = read_suite(suite.spec, suite.texts[suite.spec], suite.file, text.encode())
    names = [case.name for case, _ in failing]
    after = run(updated, (case for case in updated.cases if case.name in names))
    if [result.case.name for result in after if not result.problems] != names:
        message = f"what the failing cases expect cannot be rewritten in `{suite.file}`"
        raise GiveUp(message, help="edit it by hand, or run the cases one by one with `-k`")
    byte_order_mark = "\ufeff" if suite.texts[suite.file].startswith("\ufeff") else ""
    Path(suite.file).write_bytes((byte_order_mark + text).encode())
    return [
        replace(result, problems=(), updated=True) if result.case.name in names else result
        for result in results
    ]
