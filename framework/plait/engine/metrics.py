"""The counts of an invocation as metrics, in the JSON that CloudWatch reads from a function's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.engine.report import Report

NAMESPACE = "plait"
DIMENSION = "Pipeline"
OUTCOMES = ("done", "skipped", "gone", "retry", "failed")
RECORDS = ("read", "written", "dropped", "quarantined")


def metrics(report: Report, seconds: float, at: float) -> dict[str, Any]:
    """One line of CloudWatch's embedded metric format, at a time in seconds since 1970; no value costs a call."""
    counts = {f"Objects{word.title()}": report.objects[word] for word in OUTCOMES}
    counts |= {f"Records{word.title()}": getattr(report.records, word) for word in RECORDS}
    counts |= {"Rows": report.rows, "Files": len(report.files)}
    units = [{"Name": name, "Unit": "Count"} for name in counts] + [{"Name": "Seconds", "Unit": "Seconds"}]
    about = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": units}
    return {
        "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [about]},
        DIMENSION: report.pipeline,
        **counts,
        "Seconds": round(seconds, 6),
    }
