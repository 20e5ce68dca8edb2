"""Run the engine over the inputs of a case, and collect what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from plait.engine.engine import Engine
from plait.plan.plan import plan
from plait.testing.cases.case import COUNT_NAMES, CaseOutcome, Finding
from plait.testing.cases.stand_ins import (
    NO_INPUTS,
    CapturingSink,
    OfflineServices,
    item_of,
    stand_in,
)
from plait.values.convert import convert
from plait.values.driver_path import hive_text
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.engine.report import Report
    from plait.plan.plan import Field
    from plait.plugin import File, Put
    from plait.testing.cases.case import Case, FailureKind, SourceInputs


def run_case(case: Case) -> CaseOutcome:
    """Run a case; raises PlaitError if the run itself fails, and whatever a bug of a connector raises."""
    driver = case.inputs.get(case.spec.driver.name)
    objects = driver.objects if driver else ()
    services = OfflineServices(case.now, case.inputs)
    engine, sink = Engine(case.spec, services), CapturingSink()
    engine.sink = sink
    stand_in(engine, _inputs_of_sources(case), services)
    report = engine.run(map(item_of, objects) if driver else engine.find())
    partitions = plan(case.spec).partitions
    rows = [row for file in sink.captured for row in _rows_of_file(file, partitions)]
    names = {normal_uri(case_object.uri): case_object.uri for case_object in objects}
    findings: dict[FailureKind, list[Finding]] = {
        "quarantine": [_quarantine_finding(put, names) for put in services.objects.puts],
        "retry": _unfinished_findings("retry", report, names),
        "failed": _unfinished_findings("failed", report, names),
    }
    return CaseOutcome(rows=rows, findings=findings, counts=_counts(report))


def _inputs_of_sources(case: Case) -> dict[str, SourceInputs]:
    """What each source holds: what the case gives, or nothing where a source would ask a service."""
    absent = {block.name for block in (case.spec.driver, *case.spec.lookups) if not block.role.offline}
    return {**dict.fromkeys(absent, NO_INPUTS), **case.inputs}


def _rows_of_file(file: File, partitions: Sequence[Field]) -> list[dict[str, Any]]:
    """The rows of a file, with the partition columns that its folder names."""
    texts = [segment.partition("=")[2] for segment in file.folder.split("/")[:-1]]
    partition_values = {
        field.name: convert(hive_text(text), field.type)
        for field, text in zip(partitions, texts, strict=True)
    }
    return [{**row, **partition_values} for row in file.table.to_pylist()]


def _quarantine_finding(put: Put, names: dict[str, str]) -> Finding:
    body = json.loads(put.data)
    return Finding(
        code=body["code"], message=body["message"], object=names.get(body["object"], body["object"])
    )


def _unfinished_findings(outcome: str, report: Report, names: dict[str, str]) -> list[Finding]:
    """The errors of the objects with an outcome; `names` are the objects' names by their URI."""
    errors = {problem.file: problem for problem in report.problems if problem.level == "error"}
    uris = [uri for uri, object_outcome in report.outcomes.items() if object_outcome == outcome]
    return [
        Finding(code=errors[uri].code, message=errors[uri].message, object=names.get(uri, uri))
        for uri in uris
        if uri in errors
    ]


def _counts(report: Report) -> dict[Any, int]:
    counts = {**report.objects, "dropped": report.records.dropped}
    return {name: counts[name] for name in COUNT_NAMES}
