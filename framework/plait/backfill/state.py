"""The state of a backfill: its batches, its plan, and the markers that batches leave, below one folder."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, json

from plait import __version__
from plait.aws_lambda.marker import put_marker, state_folder
from plait.backfill.sum import add_marker
from plait.engine.report import Report
from plait.plugin import GiveUp, Item, Missing, PlaitError, Put

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.engine.engine import Engine
    from plait.language.spec import Spec
    from plait.plugin import Objects, Window

FORMAT_VERSION = 1
MOST_OBJECTS, MOST_BYTES = 1_000, 200_000  # of a batch: what one invocation takes


class Plan(Struct, frozen=True, kw_only=True):
    """What a backfill goes over, once its batches stand; `window` are its times as text."""

    format_version: int = FORMAT_VERSION
    pipeline: str
    spec_digest: str
    parameters: dict[str, str]
    window: tuple[str | None, str | None]
    version: str
    batches: int
    objects: int
    bytes: int


class State:
    """The folder of one backfill."""

    def __init__(self, uri: str, objects: Objects) -> None:
        self.uri, self._objects = uri.rstrip("/"), objects

    def plan(self) -> Plan | None:
        """The plan, or None where it does not stand yet; raises GiveUp if another version of plait made it."""
        data = self._get("plan.json")
        if data is None:
            return None
        plan = msgspec.convert(json.decode(data), Plan)
        if plan.version != __version__:
            message = f"the plan `{self.uri}` was made by plait {plan.version}, this is {__version__}"
            raise GiveUp(message, code="other-version", help="take that version, or give `--resume-anyway`")
        return plan

    def make_plan(self, spec: Spec, window: Window, items: Iterable[Item], most: int = MOST_OBJECTS) -> Plan:
        """List the objects into batches, and put the plan last."""
        batches = objects = size = 0
        for batches, batch in enumerate(batched(items, most), 1):
            lines = b"\n".join(map(json.encode, batch))
            self._put(f"batches/{batches:05}.jsonl.gz", gzip.compress(lines, mtime=0))
            objects += len(batch)
            size += sum(item.size or 0 for item in batch)
        plan = Plan(
            pipeline=spec.name,
            spec_digest=spec.digest,
            parameters=dict(spec.parameters),
            window=times(window),
            version=__version__,
            batches=batches,
            objects=objects,
            bytes=size,
        )
        self._put("plan.json", json.encode(plan))
        return plan

    def items(self, number: int) -> list[Item]:
        """The objects of a batch."""
        lines = gzip.decompress(self._get(f"batches/{number:05}.jsonl.gz") or b"").splitlines()
        return [
            Item(**{**fields, "modified": modified and datetime.fromisoformat(modified)})
            for fields in map(json.decode, lines)
            for modified in [fields["modified"]]
        ]

    def open_batches(self, plan: Plan) -> list[int]:
        """The numbers of the batches that are not done."""
        done = self._markers("done")
        return [number for number in range(1, plan.batches + 1) if number not in done]

    def report(self, plan: Plan) -> Report:
        """The sum of what all batches left behind."""
        report = Report(pipeline=plan.pipeline, spec_digest=plan.spec_digest)
        done = self._markers("done")
        uris = [*done.values(), *(u for n, u in self._markers("left").items() if n not in done)]
        for answer in self._objects.get(uris):
            if isinstance(answer, PlaitError):
                raise answer
            if not isinstance(answer, Missing):
                add_marker(report, json.decode(answer.data))
        return report

    def _markers(self, kind: str) -> dict[int, str]:
        """The URIs of the markers of a kind, by the number of their batch."""
        try:
            uris = [item.uri for item in self._objects.list(f"{self.uri}/{kind}/")]
        except GiveUp as error:
            if error.code != "no-folder":  # which the first marker makes
                raise
            return {}
        return {int(uri.rpartition("/")[2].removesuffix(".json")): uri for uri in uris}

    def _get(self, name: str) -> bytes | None:
        [answer] = self._objects.get([f"{self.uri}/{name}"])
        if isinstance(answer, PlaitError):
            raise answer
        return None if isinstance(answer, Missing) else answer.data

    def _put(self, name: str, data: bytes) -> None:
        [answer] = self._objects.put([Put(uri=f"{self.uri}/{name}", data=data)])
        if isinstance(answer, PlaitError):
            raise answer


def open_state(spec: Spec, window: Window, objects: Objects, folder: str | None = None) -> State:
    """The state of a spec with its parameters over a window, beside its sink or below another folder."""
    sink = next(iter(spec.sink.folders.values()), None)
    if folder is None and sink is None:
        message = f"the sink `{spec.sink.connector.name}` has no folder beside which the state could lie"
        raise GiveUp(message, code="no-state", help="give `--state URI`")
    parts = [spec.digest, dict(spec.parameters), times(window)]
    id = hashlib.sha256(json.encode(parts)).hexdigest()[:12]
    return State(f"{(folder or state_folder(sink or '')).rstrip('/')}/{id}", objects)


def times(window: Window) -> tuple[str | None, str | None]:
    """The bounds of a window as text."""
    since, until = window.since, window.until
    return since.isoformat() if since else None, until.isoformat() if until else None


def batched(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """Batches of so many objects at most, and of no more bytes of URIs than an invocation takes."""
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and (len(batch) == most or size + len(item.uri.encode()) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.uri.encode())
    if batch:
        yield batch


def run_batch(engine: Engine, state: State, number: int) -> Report:
    """Run a batch, put its marker, and return its report: what every way of running a backfill does."""
    engine.new_report()
    report = engine.run(state.items(number))
    put_marker(engine.services.objects, state.uri, number, report)
    return report
