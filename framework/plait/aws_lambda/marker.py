"""What a batch of a backfill leaves behind when it ends: a file that it is done, or one that says what is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from plait.plugin import PlaitError, Put

if TYPE_CHECKING:
    from plait.engine.report import Report
    from plait.plugin import Objects

MOST_PROBLEMS = 20  # that a batch keeps; the others are counted by their code
OF_PROBLEM = ("code", "message", "file", "help", "note", "level", "cell")


def state_folder(sink: str) -> str:
    """The folder of all backfills into a sink's folder: beside it, since what lies in it is read as rows."""
    return f"{sink.rstrip('/')}._plait/backfill"


def put_marker(objects: Objects, state: str, number: int, report: Report) -> None:
    """Store the counts of a batch that ended: below `done`, or below `left` if objects must come again or failed."""
    document = report.as_json()
    document["files"] = []
    kept = report.problems[:MOST_PROBLEMS]
    document["problems"] = [{name: getattr(problem, name) for name in OF_PROBLEM} for problem in kept]
    document["problems_by_code"] = report.problems_by_code
    document["left"] = [uri for uri, outcome in report.outcomes.items() if outcome in ("retry", "failed")]
    uri = f"{state}/{'done' if report.ok else 'left'}/{number:05}.json"
    [answer] = objects.put([Put(uri=uri, data=json.dumps(document).encode())])
    if isinstance(answer, PlaitError):
        raise answer
