"""What a batch of a backfill leaves behind when it ends: a marker that it is done, or one that says what is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from plait.engine.context import Services
from plait.plugin import ObjectChanged, PlaitError, Put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.engine.report import Report
    from plait.language.spec import Spec
    from plait.plugin import Objects

MOST_PROBLEMS = 20  # that a batch keeps; the others are counted by their code
OF_PROBLEM = ("code", "message", "file", "help", "note", "level", "cell")


def state_folder(spec: Spec) -> str:
    """The folder of all backfills of a spec: beside its sink's, since what lies in that is read as rows.

    Empty where nothing can lie beside it, as beside a whole bucket.
    """
    folder = next(iter(spec.sink.folders.values()), "").rstrip("/")
    is_bucket = folder.startswith("s3://") and "/" not in folder.removeprefix("s3://")
    return f"{folder}._plait/backfill" if folder and not is_bucket else ""


def mark_batch(event: Mapping[str, Any], spec: Spec, report: Report) -> None:
    """Put the marker of the batch that an event of a backfill names, by calls that have time of their own.

    An event names the backfill and the batch, and never a place to write to: that is the spec's.
    """
    id, number, folder = event.get("backfill"), event.get("batch"), state_folder(spec)
    if isinstance(id, str) and id.isalnum() and isinstance(number, int) and number > 0 and folder:
        put_marker(Services().objects, f"{folder}/{id}", number, report)


def put_marker(objects: Objects, state: str, number: int, report: Report) -> None:
    """Store the counts of a batch that ended: below `done`, or below `left` if objects must come again or failed.

    The first marker that a batch is done stands; a later run replaces what an earlier one left.
    """
    document = report.as_json()
    document["files"] = []
    kept = report.problems[:MOST_PROBLEMS]
    document["problems"] = [{name: getattr(problem, name) for name in OF_PROBLEM} for problem in kept]
    document["problems_by_code"] = report.problems_by_code
    document["left"] = {uri: word for uri, word in report.outcomes.items() if word in ("retry", "failed")}
    uri = f"{state}/{'done' if report.ok else 'left'}/{number:05}.json"
    [answer] = objects.put([Put(uri=uri, data=json.dumps(document).encode(), creates=report.ok)])
    if isinstance(answer, PlaitError) and not isinstance(answer, ObjectChanged):
        raise answer
