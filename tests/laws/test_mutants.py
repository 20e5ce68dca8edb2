"""A change anywhere in a valid spec is a problem with a place, or another valid spec, which plans and runs.

`tests/data/mutants/NAME.txt` lists the changes after which a spec is valid still: the place, what was done to it, warnings in
brackets, and what a run of the samples gives. What stands in `rows` is data: some of its changes are run, none listed.
PLAIT_UPDATE=1 rewrites the lists; each line of them must be right.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from kit.mutants import mutation
from kit.mutants.limited import BYTES, SECONDS, Verdict, judge
from kit.mutants.sample import case_of
from kit.paths import DATA
from kit.specs import documented_specs, golden_specs, write_samples
from plait.engine.report import Report
from plait.language.spec import Spec
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.pipeline.pipeline import Pipeline
from plait.plugin import PlaitError
from plait.testing.cases.case import FAILURE_KINDS
from plait.testing.cases.runner import run_case

LISTS = DATA / "mutants"
SHOWN = documented_specs()
LARGE = os.environ.get("PLAIT_BUDGET") == "large"
SPECS = {**SHOWN, **golden_specs()} if LARGE else SHOWN
ROW_DATA = re.compile(r"sources\.\w+\.rows\.")
Mutant = tuple[str, str]
Judged = Mapping[str, list[tuple[Mutant, Verdict]]]


def mutants(text: str) -> Iterator[Mutant]:
    """Each change of one node, in words, and the text that it gives."""
    source_map, problems = locate(text, "spec.yaml")
    assert source_map is not None, problems
    for place in mutation.places(source_map.value):
        where = ".".join(map(str, place))
        for change, mutant in mutation.mutants(source_map.value, place):
            yield f"{where}: {change}", mutation.written(mutant)


@pytest.fixture(scope="module")
def judged() -> Judged:
    """What became of every mutant of every spec."""
    named = [(name, mutant) for name, text in SPECS.items() for mutant in mutants(text)]
    verdicts = judge([text for _, (_, text) in named])
    judged: dict[str, list[tuple[Mutant, Verdict]]] = {name: [] for name in SPECS}
    for (name, mutant), verdict in zip(named, verdicts, strict=True):
        judged[name].append((mutant, verdict))
    return judged


def test_every_mutant_ends_within_its_limits_as_valid_or_as_problems_with_places(
    judged: Judged, figure: Callable[[str], None]
) -> None:
    every = [(name, what, verdict) for name, pairs in judged.items() for (what, _), verdict in pairs]
    bugs = [(name, what, verdict["trace"]) for name, what, verdict in every if "trace" in verdict]
    assert bugs == []
    without_place = [
        (name, what) for name, what, verdict in every if not all(p["line"] for p in verdict["problems"])
    ]
    assert without_place == []
    unplanned = [
        (name, what)
        for name, what, verdict in every
        if verdict["valid"] != (verdict["planned"] or verdict["waits"])
    ]
    assert unplanned == []
    cpu, peak = (max(verdict[key] for *_, verdict in every) for key in ("cpu", "peak"))
    valid = sum(verdict["valid"] for *_, verdict in every)
    used = f"each took at most {cpu * 1000:.0f} ms of CPU, all of it {peak >> 20} MB"
    figure(f"{len(every):,} mutants of {len(SPECS)} specs, of which {valid:,} are valid; {used}")
    assert cpu < SECONDS
    assert peak < BYTES


@pytest.fixture
def among_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_samples(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("among_samples")
@pytest.mark.parametrize("name", SHOWN)
def test_a_mutant_that_is_valid_was_read_and_runs(judged: Judged, name: str) -> None:
    valid = [(*mutant, verdict) for mutant, verdict in judged[name] if verdict.get("valid")]
    data = [text for what, text, _ in valid if ROW_DATA.match(what)]
    assert all(outcome(text) for text in (data if LARGE else data[:: len(data) // 10 + 1]))
    listed = [mutant for mutant in valid if not ROW_DATA.match(mutant[0])]
    lines = "".join(f"{what}{_warnings(verdict)} → {outcome(text)}\n" for what, text, verdict in listed)
    file = LISTS / f"{name}.txt"
    if os.environ.get("PLAIT_UPDATE") == "1":
        file.write_text(lines, encoding="utf-8")
    assert lines == file.read_text(encoding="utf-8")


def _warnings(verdict: Verdict) -> str:
    codes = sorted({problem["code"] for problem in verdict["problems"]})
    return f" [{', '.join(codes)}]" if codes else ""


def outcome(text: str) -> str:
    """What a run of local files gives, or else of one made-up record of each source; any exception is a bug."""
    validated = validate(text, "spec.yaml")
    if validated.unset:
        validated = validate(text, "spec.yaml", {name: name for name in validated.unset})
    spec = validated.spec
    if spec is None:
        return "the name of a parameter is no value of it"
    try:
        return _outcome_of_report(Pipeline(spec).run()) if _is_local(spec) else _played(spec)
    except PlaitError as error:
        return f"{error.code}"


def _is_local(spec: Spec) -> bool:
    """Whether a run asks no service and stays in the working folder; any other spec is played in memory."""
    sources = (spec.driver, *spec.lookups)
    options = [block.options for block in spec.blocks]
    paths = [option.path.text for option in options if getattr(option, "path", None)]
    if spec.quarantine:
        paths.append(spec.quarantine.path)
    return all(source.role.offline for source in sources) and all(map(_is_below_working_folder, paths))


def _is_below_working_folder(path: str) -> bool:
    return "://" not in path and Path(path).resolve().is_relative_to(Path.cwd())


def _outcome_of_report(report: Report) -> str:
    counts = [f"{number} {word}" for word, number in report.objects.items() if number and word != "seen"]
    codes = sorted({problem.code for problem in report.problems})
    return ", ".join([*counts, *codes]) or "nothing"


def _played(spec: Spec) -> str:
    outcome = run_case(case_of(spec))
    codes = {failure["code"] for kind in FAILURE_KINDS for failure in outcome[kind]}
    return ", ".join([f"{len(outcome['rows'])} row", *sorted(codes)])


def test_no_list_is_left_of_a_removed_spec() -> None:
    assert sorted(file.stem for file in LISTS.glob("*.txt")) == sorted(SHOWN)
