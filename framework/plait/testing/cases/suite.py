"""A spec with its file of cases: read, run, judged, and rewritten where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plait.plugin import GiveUp, PlaitError
from plait.problems.problem import Problem
from plait.testing.cases.read import CaseFile, Specs, read_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.testing.cases.case import Case, Outcomes
    from plait.testing.cases.yaml_text import Places

ENDING = ".test.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A spec and its cases; `problems` are those of both files, an error among them of a case or all."""

    spec: str
    file: CaseFile
    problems: tuple[Problem, ...]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a case, None where the run itself failed; a case without problems holds."""

    case: Case
    got: Outcomes | None
    problems: tuple[Problem, ...]


def spec_of(cases: str) -> str:
    """The spec that a file of cases stands beside."""
    return cases.removesuffix(ENDING) + ".yaml"


def cases_of(spec: str) -> str:
    """The file of cases that stands beside a spec."""
    return spec.removesuffix(".yaml") + ENDING


def load(spec: str) -> Suite:
    """Read a spec and its cases; raises OSError where one cannot be read."""
    file = cases_of(spec)
    text = Path(spec).read_bytes().decode("utf-8", "replace")
    specs = Specs(text, spec)
    found = read_cases(Path(file).read_bytes(), file, specs)
    problems = (*specs.first.errors, *found.problems)
    return Suite(spec=spec, file=found, problems=problems, texts={spec: text, file: found.text})


def run(suite: Suite, cases: Sequence[Case]) -> list[Result]:
    """Run cases of a suite, one after the other."""
    places = suite.file.places
    return [_run(case, places) for case in cases] if places else []


def _run(case: Case, places: Places) -> Result:
    from plait.testing.cases.compare import judge
    from plait.testing.cases.runner import play

    try:
        got = play(case)
    except PlaitError as error:
        message = f"case `{case.name[:60]}`: {error.message}"
        source_map = places.source_map
        problem = Problem(
            code=error.code,
            message=message,
            file=source_map.file,
            span=source_map.key_span(case.path),
            help=error.help,
        )
        return Result(case=case, got=None, problems=(problem,))
    return Result(case=case, got=got, problems=tuple(judge(case, got, places)))


def update(suite: Suite, results: Sequence[Result]) -> list[Case]:
    """Rewrite what the failing cases expect; raises GiveUp where the new file would not say what came."""
    from plait.testing.cases.compare import judge
    from plait.testing.cases.update import rewrite

    failing = {one.case.name: one.got for one in results if one.problems and one.got}
    places = suite.file.places
    if places is None or not failing:
        return []
    cases = [one.case for one in results if one.case.name in failing]
    text = rewrite(places, [(case, failing[case.name]) for case in cases])
    spec = Specs(suite.texts[suite.spec], suite.spec)
    again = read_cases(text.encode(), suite.file.file, spec)
    new = {case.name: case for case in again.cases}
    for name, got in failing.items():
        if again.places is None or name not in new or judge(new[name], got, again.places):
            message = f"what case `{name[:60]}` expects cannot be rewritten in `{suite.file.file}`"
            raise GiveUp(message, help="edit it by hand")
    mark = "\ufeff" if suite.file.text.startswith("\ufeff") else ""
    Path(suite.file.file).write_bytes((mark + text).encode())
    return cases
