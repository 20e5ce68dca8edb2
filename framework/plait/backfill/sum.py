"""Add up what the batches of a backfill left behind, to one report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.engine.counts import ColumnCounts, LookupCounts, SourceCounts
from plait.engine.report import OUTCOMES
from plait.problems.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.engine.report import Report


def add_marker(report: Report, marker: Mapping[str, Any]) -> None:
    """Add the counts of a marker; of the problems, as many as a report keeps."""
    report.counts.update({outcome: marker["objects"][outcome] for outcome in OUTCOMES})
    report.records.add({fate: number for fate, number in marker["records"].items() if fate != "read"})
    for name in ("rows", "batches", "file_count", "file_bytes"):
        setattr(report, name, getattr(report, name) + marker[name])
    for name, source in marker["sources"].items():
        columns = {column: ColumnCounts(**counts) for column, counts in source["columns"].items()}
        counts = SourceCounts(records=source["records"], columns=columns)
        report.sources.setdefault(name, SourceCounts()).add(counts)
    for name, numbers in marker["lookups"].items():
        report.lookups.setdefault(name, LookupCounts()).add(LookupCounts(**numbers))
    report.calls.update(marker["calls"])
    for phase, seconds in marker["seconds"].items():
        report.seconds[phase] = report.seconds.get(phase, 0.0) + seconds
    before = report.problems_by_code.copy()
    for problem in marker["problems"]:
        report.add_problem(Problem(**problem))
    report.problems_by_code = before + type(before)(marker["problems_by_code"])
