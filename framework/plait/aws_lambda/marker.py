"""What a batch of a backfill leaves behind when it ends: a marker that it is done, or one that says what is left."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from plait import __version__
from plait.plugin import GiveUp, ObjectChanged, PlaitError, Put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.engine.report import Report
    from plait.language.spec import Spec
    from plait.plugin import Objects

MOST_PROBLEMS = 20  # that a batch keeps, of each code some; the others are counted by their code
OF_PROBLEM = ("code", "message", "file", "help", "note", "level", "cell")


def state_folder(spec: Spec) -> str:
    """The folder of all backfills of a spec: beside its sink's, since what lies in that is read as rows.

    Empty where nothing can lie beside it, as beside a whole bucket.
    """
    folder = next(iter(spec.sink.folders.values()), "").rstrip("/")
    is_bucket = folder.startswith("s3://") and "/" not in folder.removeprefix("s3://")
    return f"{folder}._plait/backfill" if folder and not is_bucket else ""


def fingerprint(digest: str, parameters: Mapping[str, str], event: Mapping[str, Any]) -> str:
    """What tells an event from those of other batches, and of other ways to make rows: a spec, its parameters, the version of plait."""
    batch = [event.get("backfill"), event.get("batch"), len(event.get("objects", ()))]
    text = json.dumps([digest, sorted(parameters.items()), __version__, batch])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def batch_of(event: Mapping[str, Any], spec: Spec) -> tuple[str, int] | None:
    """The state and the number of the batch that an event of a backfill names; None for any other event.

    An event names no place to write to: that is the spec's. Raises GiveUp if its plan is not of this spec, with these
    parameters and this version of plait, or it is another batch's: its marker would stand for other rows.
    """
    id, number, folder = event.get("backfill"), event.get("batch"), state_folder(spec)
    if not (isinstance(id, str) and re.fullmatch("[0-9a-f]{12}", id) and folder):
        return None
    if not isinstance(number, int) or number is True or number < 1:
        return None
    if event.get("of") != fingerprint(spec.digest, spec.parameters, event):
        message = "the plan of this backfill is of another spec, other parameters or another version of plait, or the event was changed"
        help = "deploy the package of that spec, with the parameters of the backfill"
        raise GiveUp(message, code="spec-changed", help=help)
    return f"{folder}/{id}", number


def put_marker(objects: Objects, state: str, number: int, report: Report) -> None:
    """Store the counts of a batch that ended: below `done`, or below `left` if objects must come again or failed.

    The first marker that a batch is done stands; a later run replaces what an earlier one left.
    """
    document = report.as_json()
    document["files"] = []
    kept = report.problems_by_turn()[:MOST_PROBLEMS]
    document["problems"] = [{name: getattr(problem, name) for name in OF_PROBLEM} for _, problem in kept]
    document["problems_by_code"] = report.problems_by_code
    document["left"] = {uri: word for uri, word in report.outcomes.items() if word in ("retry", "failed")}
    uri = f"{state}/{'done' if report.ok else 'left'}/{number:05}.json"
    [answer] = objects.put([Put(uri=uri, data=json.dumps(document).encode(), creates=report.ok)])
    if isinstance(answer, PlaitError) and not isinstance(answer, ObjectChanged):
        raise answer
