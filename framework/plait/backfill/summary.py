"""The report of a backfill: the sum of its markers, and the batches that are left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from plait.engine.absence import CODES, is_never_there
from plait.engine.counts import LookupCounts, SourceCounts
from plait.engine.report import OUTCOMES, Report
from plait.problems.problem import Problem

if TYPE_CHECKING:
    from plait.backfill.state import Marker, State

MOST_NAMED = 5
OF_A_RUN = (*CODES, "unconditional-writes")  # what each batch tells of the whole run


def sum_up(state: State) -> Report:
    """Add up what the markers tell; batches that did not end, and objects that are left, are problems of it."""
    plan, ended, left, of_run = state.plan(), 0, list[int](), dict[str, Problem]()
    report = Report(pipeline=plan.pipeline, spec_digest=plan.spec_digest)
    for number, marker in state.markers():
        ended += 1
        add_marker(report, marker, of_run)
        if marker.left:
            left.append(number)
    report.put_first(
        problem for problem in of_run.values() if problem.code not in CODES or is_never_there(problem, report)
    )
    if ended < plan.batches:
        message = f"{plan.batches - ended:,} of {plan.batches:,} batches did not end"
        help = "run it again: it goes on where it stopped"
        report.put_first([Problem(code="batches-left", message=message, file=state.uri, help=help)])
    elif left:
        named = ", ".join(map(str, left[:MOST_NAMED])) + (" …" if len(left) > MOST_NAMED else "")
        message = f"{len(left):,} of {plan.batches:,} batches have objects that are not done: {named}"
        help = "mend what the errors say, then run it again: it runs these batches alone"
        report.put_first([Problem(code="batches-left", message=message, file=state.uri, help=help)])
    report.check()
    return report


def add_marker(report: Report, marker: Marker, of_run: dict[str, Problem]) -> None:
    """Add the report of a batch, as its marker has it; what it tells of the whole run is put into `of_run`, once."""
    report.counts.update({outcome: marker.objects[outcome] for outcome in OUTCOMES})
    report.records.add({fate: number for fate, number in asdict(marker.records).items() if fate != "read"})
    for total in ("rows", "batches", "file_count", "file_bytes"):
        setattr(report, total, getattr(report, total) + getattr(marker, total))
    for name, source in marker.sources.items():
        counts = SourceCounts(records=source.records, columns=source.columns)
        report.sources.setdefault(name, SourceCounts()).add(counts)
    for name, lookup in marker.lookups.items():
        report.lookups.setdefault(name, LookupCounts()).add(lookup)
    report.calls.update(marker.calls)
    for phase, seconds in marker.seconds.items():
        report.seconds[phase] = report.seconds.get(phase, 0.0) + seconds
    before = report.problems_by_code.copy()
    for problem in marker.problems:
        if problem.code in OF_A_RUN:
            of_run.setdefault(f"{problem.code} {problem.cell}", problem)
        else:
            report.add_problem(problem)
    by_code = {code: number for code, number in marker.problems_by_code.items() if code not in OF_A_RUN}
    report.problems_by_code = before + Counter(by_code)
