"""A case runs: the real phases over what is given, and what came of it."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from plait.engine.engine import Engine
from plait.engine.partition import NULL
from plait.plan.plan import plan
from plait.testing.cases.case import COUNTS, Finding, Outcomes
from plait.testing.cases.stand_ins import CapturingSink, MemoryObjects, Offline, item, stand_in
from plait.values.convert import convert
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.engine.report import Report
    from plait.plan.plan import Field
    from plait.plugin import File, Put
    from plait.testing.cases.case import Case, FailureKind


def play(case: Case) -> Outcomes:
    """Run a case; raises what a bug of a connector raises."""
    driver = case.given.get(case.spec.driver.name)
    objects = driver.objects if driver else ()
    held = MemoryObjects(chain.from_iterable(given.objects for given in case.given.values()))
    sink = CapturingSink()
    engine = Engine(stand_in(case, sink), Offline(case, held))
    report = engine.run(map(item, objects) if driver else engine.find())
    partitions = plan(case.spec).partitions
    rows = [row for file in sink.files for row in _rows(file, partitions)]
    names = {normal_uri(one.uri): one.uri for one in objects}
    findings: dict[FailureKind, list[Finding]] = {
        "quarantine": [_quarantined(put, names) for put in held.puts],
        "retry": _unfinished("retry", report, names),
        "failed": _unfinished("failed", report, names),
    }
    return Outcomes(rows=rows, findings=findings, counts=_counts(report))


def _rows(file: File, partitions: Sequence[Field]) -> list[dict[str, Any]]:
    """The rows of a file with the partition columns that its folder names."""
    texts = [segment.partition("=")[2] for segment in file.folder.split("/")[:-1]]
    folder = {
        field.name: None if text == NULL else _typed(unquote(text), field)
        for field, text in zip(partitions, texts, strict=True)
    }
    return [{**row, **folder} for row in file.table.to_pylist()]


def _typed(text: str, field: Field) -> Any:
    return convert(text, field.type) if field.type else text


def _quarantined(put: Put, names: dict[str, str]) -> Finding:
    body = json.loads(put.data)
    return Finding(
        code=body["code"], message=body["message"], object=names.get(body["object"], body["object"])
    )


def _unfinished(word: str, report: Report, names: dict[str, str]) -> list[Finding]:
    told = {problem.file: problem for problem in report.problems if problem.level == "error"}
    uris = [uri for uri, outcome in report.outcomes.items() if outcome == word]
    return [
        Finding(code=told[uri].code, message=told[uri].message, object=names.get(uri, uri))
        for uri in uris
        if uri in told
    ]


def _counts(report: Report) -> dict[Any, int]:
    known = {**report.objects, "dropped": report.records.dropped}
    return {word: known[word] for word in COUNTS}
