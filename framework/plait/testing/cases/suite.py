"""A spec with its file of cases: load both, run the cases, and update what they expect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plait.plugin import GiveUp, PlaitError
from plait.problems.problem import Problem
from plait.testing.cases.read import CaseFile, SpecVariants, read_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.testing.cases.case import Case, CaseOutcome
    from plait.testing.cases.yaml_text import YamlText

CASES_ENDING = ".test.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A spec and its file of cases.

    `spec` is the path of the spec, `problems` are those of both files, and `texts` their texts by path.
    """

    spec: str
    file: CaseFile
    problems: tuple[Problem, ...]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What a case gave, None if the run itself failed; a case without problems holds."""

    case: Case
    outcome: CaseOutcome | None
    problems: tuple[Problem, ...]


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
    variants = SpecVariants(text, spec)
    case_file = read_cases(Path(file).read_bytes(), file, variants)
    problems = (*variants.unchanged.errors, *case_file.problems)
    return Suite(spec=spec, file=case_file, problems=problems, texts={spec: text, file: case_file.text})


def run(suite: Suite, cases: Sequence[Case]) -> list[CaseResult]:
    """Run cases of a suite, one after the other."""
    yaml_text = suite.file.yaml_text
    return [_run(case, yaml_text) for case in cases] if yaml_text else []


def _run(case: Case, yaml_text: YamlText) -> CaseResult:
    from plait.testing.cases.compare import compare
    from plait.testing.cases.runner import run_case

    try:
        outcome = run_case(case)
    except PlaitError as error:
        message = f"case `{case.name[:60]}`: {error.message}"
        source_map = yaml_text.source_map
        problem = Problem(
            code=error.code,
            message=message,
            file=source_map.file,
            span=source_map.key_span(case.path),
            help=error.help,
        )
        return CaseResult(case=case, outcome=None, problems=(problem,))
    return CaseResult(case=case, outcome=outcome, problems=tuple(compare(case, outcome, yaml_text)))


def update(suite: Suite, results: Sequence[CaseResult]) -> list[Case]:
    """Rewrite the file so that the failing cases expect what they gave; return these cases.

    Raises GiveUp, and leaves the file as it is, if the new text would not be read as what came.
    """
    from plait.testing.cases.compare import compare
    from plait.testing.cases.update import rewrite

    failing = {result.case.name: result.outcome for result in results if result.problems and result.outcome}
    yaml_text = suite.file.yaml_text
    if yaml_text is None or not failing:
        return []
    cases = [result.case for result in results if result.case.name in failing]
    text = rewrite(yaml_text, [(case, failing[case.name]) for case in cases])
    variants = SpecVariants(suite.texts[suite.spec], suite.spec)
    updated = read_cases(text.encode(), suite.file.file, variants)
    updated_cases = {case.name: case for case in updated.cases}
    for name, outcome in failing.items():
        if (
            updated.yaml_text is None
            or name not in updated_cases
            or compare(updated_cases[name], outcome, updated.yaml_text)
        ):
            message = f"what case `{name[:60]}` expects cannot be rewritten in `{suite.file.file}`"
            raise GiveUp(message, help="edit it by hand")
    byte_order_mark = "\ufeff" if suite.file.text.startswith("\ufeff") else ""
    Path(suite.file.file).write_bytes((byte_order_mark + text).encode())
    return cases
