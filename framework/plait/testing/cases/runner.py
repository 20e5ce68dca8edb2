"""Run the engine over the inputs of a case, and collect what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from plait.engine.engine import Engine
from plait.engine.quarantine import texts_of
from plait.plan.plan import plan
from plait.testing.cases.case import COUNT_NAMES, Outcome
from plait.testing.cases.stand_ins import NO_INPUTS, CapturingSink, OfflineServices, stand_in
from plait.values.convert import convert
from plait.values.driver_path import hive_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.engine.report import Report
    from plait.plan.plan import Field
    from plait.plugin import File
    from plait.testing.cases.case import Case


def run_case(case: Case) -> Outcome:
    """Run a case; raises PlaitError if the run itself fails, and whatever a bug of a connector raises."""
    services = OfflineServices(case.now, case.inputs)
    engine, sink = Engine(case.spec, services), CapturingSink()
    engine.sink = sink
    absent = {block.name for block in (case.spec.driver, *case.spec.lookups) if not block.role.offline}
    stand_in(engine, {**dict.fromkeys(absent, NO_INPUTS), **case.inputs}, services)
    driver = case.inputs.get(case.spec.driver.name)
    report = engine.run((held.item for held in driver.objects) if driver else engine.find())
    partitions = plan(case.spec).partitions
    texts = [text for put in services.objects.puts for text in texts_of(put.uri, put.data)]
    bad_records = [_bad_record(json.loads(text)) for text in texts]
    records = report.records
    counts = {**report.objects, "dropped": records.dropped, "left_out": records.left_out}
    return {
        "rows": [row for file in sink.captured for row in _rows_of_file(file, partitions)],
        "quarantine": bad_records,
        "retry": _failures(report, "retry"),
        "failed": _failures(report, "failed"),
        **{name: counts[name] for name in COUNT_NAMES},
    }


def _bad_record(body: dict[str, Any]) -> dict[str, str]:
    """A record in quarantine: the code of its first fault, the messages and helps of all."""
    texts = {key: "; ".join(fault[key] or "" for fault in body["faults"]) for key in ("message", "help")}
    return {"code": body["code"], **texts, "object": body["object"]}


def _rows_of_file(file: File, partitions: Sequence[Field]) -> list[dict[str, Any]]:
    """The rows of a file, with the partition columns that its folder names."""
    values: dict[str, Any] = {}
    for field, segment in zip(partitions, file.folder.split("/")[:-1], strict=True):
        values[field.name] = convert(hive_text(segment.partition("=")[2]), field.type)
    return [{**row, **values} for row in file.table.to_pylist(maps_as_pydicts="strict")]


def _failures(report: Report, outcome: str) -> list[dict[str, str]]:
    """The errors of the objects with an outcome."""
    errors = {p.file: p for p in reversed(report.problems) if p.level == "error"}  # the first of each
    return [
        {
            "code": errors[uri].code,
            "message": errors[uri].message,
            "help": errors[uri].help or "",
            "object": uri,
        }
        for uri, object_outcome in report.outcomes.items()
        if object_outcome == outcome and uri in errors
    ]
