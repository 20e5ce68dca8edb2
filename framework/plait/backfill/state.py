"""The state of a backfill: its plan, the objects of each batch, and the markers of batches that ended."""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from plait import __version__
from plait.aws_lambda.marker import put_marker
from plait.engine.rows import FIRST_MOMENT
from plait.plugin import GiveUp, Item, ObjectChanged, PlaitError, Put, StoredObject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from plait.engine.engine import Engine
    from plait.engine.report import Report
    from plait.language.spec import Spec
    from plait.plugin import Objects

FORMAT_VERSION = 1
MOST_OBJECTS, MOST_BYTES = 1_000, 200_000  # of a batch: what an event of Lambda's 256 KB can name
MOST_SORTED = 100_000  # objects, some 50 MB
PLAN = "plan.json"


class BackfillPlan(Struct, frozen=True, kw_only=True):
    """What a backfill runs over: the list that was taken at a time, in UTC, as so many batches in a folder of the state."""

    pipeline: str
    spec_digest: str
    parameters: dict[str, str]
    window: dict[str, str | None]
    taken_at: str
    folder: str
    batches: int
    objects: int
    bytes: int
    oldest: str | None = None
    version: str = __version__
    format_version: int = FORMAT_VERSION


class State:
    """The folder of one backfill's state, and what lies in it.

    What is read or put raises GiveUp, TryAgain.
    """

    def __init__(self, uri: str, objects: Objects) -> None:
        self.uri, self._objects = uri.rstrip("/"), objects
        self._plan: BackfillPlan | None = None

    def find_plan(self) -> BackfillPlan | None:
        """The plan, if there is one; raises GiveUp if it is none of ours."""
        data = read_object(self._objects, f"{self.uri}/{PLAN}")
        if data is None:
            return None
        try:
            self._plan = msgspec.json.decode(data, type=BackfillPlan)
        except msgspec.DecodeError as error:
            message = f"`{self.uri}/{PLAN}` is no plan of a backfill"
            raise GiveUp(message, code="unknown-state", help="name another folder by `--state`") from error
        return self._plan

    def plan(self) -> BackfillPlan:
        """The plan; raises GiveUp if there is none."""
        if plan := self._plan or self.find_plan():
            return plan
        message, help = f"no plan stands in `{self.uri}`", "make one by `plait backfill SPEC`"
        raise GiveUp(message, code="unknown-state", help=help)

    def make_plan(
        self, spec: Spec, items: Iterable[Item], size: int, window: Mapping[str, str | None], now: datetime
    ) -> BackfillPlan:
        """List the objects in batches of at most `size`, then put the plan; where another stands by then, that one holds."""
        folder = f"batches/{uuid.uuid4().hex[:12]}/"
        batches = objects = total = 0
        oldest: datetime | None = None
        for batches, batch in enumerate(_batches(items, size), 1):
            lines = "\n".join(map(_line, batch)).encode()
            self.put(f"{folder}{batches:05}.jsonl.gz", gzip.compress(lines, mtime=0))
            objects += len(batch)
            total += sum(item.size or 0 for item in batch)
            times = [item.modified for item in batch if item.modified]
            oldest = min([*times, oldest] if oldest else times, default=None)
        plan = BackfillPlan(
            pipeline=spec.name,
            spec_digest=spec.digest,
            parameters=dict(spec.parameters),
            window=dict(window),
            taken_at=now.isoformat(timespec="seconds"),
            folder=folder,
            batches=batches,
            objects=objects,
            bytes=total,
            oldest=oldest.isoformat() if oldest else None,
        )
        self.put(PLAN, msgspec.json.format(msgspec.json.encode(plan), indent=2), creates=True)
        return self.plan()

    def items(self, number: int) -> list[Item]:
        """The driving objects of a batch, as they were listed."""
        uri = f"{self.uri}/{self.plan().folder}{number:05}.jsonl.gz"
        data = read_object(self._objects, uri)
        if data is None:
            raise GiveUp(f"`{uri}` is gone", code="unknown-state", help="begin anew with another `--state`")
        return [*map(_item, gzip.decompress(data).splitlines())]

    def open_numbers(self) -> list[int]:
        """The numbers of the batches that are not done."""
        done = self.done_numbers()
        return [number for number in range(1, self.plan().batches + 1) if number not in done]

    def done_numbers(self) -> set[int]:
        """The numbers of the batches that are done."""
        return self._marked("done")

    def markers(self, only: Collection[int] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
        """The number and marker of each batch that ended, of all or `only` of these: of being done, else of having left objects."""
        done, left = self._marked("done"), self._marked("left")
        wanted = range(1, self.plan().batches + 1) if only is None else only
        numbers = sorted(number for number in done | left if number in wanted)
        kinds = ("done" if number in done else "left" for number in numbers)
        uris = [f"{self.uri}/{kind}/{number:05}.json" for number, kind in zip(numbers, kinds, strict=True)]
        for number, answer in zip(numbers, self._objects.get(uris), strict=True):
            if isinstance(answer, PlaitError):
                raise answer
            if isinstance(answer, StoredObject):
                yield number, _marker(answer)

    def _marked(self, kind: str) -> set[int]:
        try:
            names = [item.uri.rpartition("/")[2] for item in self._objects.list(f"{self.uri}/{kind}/")]
        except GiveUp as error:
            if error.code != "no-folder":
                raise
            return set()
        return {int(name.removesuffix(".json")) for name in names if name.removesuffix(".json").isdecimal()}

    def put(self, name: str, data: bytes, *, creates: bool = False) -> None:
        """Put an object of the state; one that `creates` leaves what stands there."""
        (answer,) = self._objects.put([Put(uri=f"{self.uri}/{name}", data=data, creates=creates)])
        if isinstance(answer, PlaitError) and not isinstance(answer, ObjectChanged):
            raise answer


def read_object(objects: Objects, uri: str) -> bytes | None:
    """The bytes of an object, None where there is none; raises GiveUp, TryAgain."""
    (answer,) = objects.get([uri])
    if isinstance(answer, PlaitError):
        raise answer
    return answer.data if isinstance(answer, StoredObject) else None


def _marker(stored: StoredObject) -> dict[str, Any]:
    try:
        marker: dict[str, Any] = json.loads(stored.data)
    except ValueError as error:
        message, help = f"`{stored.item.uri}` is no marker of a batch", "remove it, and its batch runs again"
        raise GiveUp(message, code="unknown-state", help=help) from error
    return marker


def identify(spec: Spec, window: Mapping[str, str | None]) -> str:
    """The name of a backfill: the digest of the spec, its parameters and its window."""
    text = json.dumps([spec.digest, sorted(spec.parameters.items()), sorted(window.items())])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def run_batch(engine: Engine, state: State, number: int) -> Report:
    """Run a batch of the plan, and put its marker; what it left is told by its report."""
    items = state.items(number)
    engine.new_report()
    report = engine.run(items)
    put_marker(engine.services.objects, state.uri, number, report)
    return report


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The objects by batches, whose URIs take at most so many bytes as JSON."""
    batch, used = list[Item](), 0
    for item in _by_time(items):
        length = len(json.dumps(item.uri, ensure_ascii=False).encode("utf-8", "backslashreplace"))
        if batch and (len(batch) == size or used + length > MOST_BYTES):
            yield batch
            batch, used = [], 0
        batch.append(item)
        used += length
    if batch:
        yield batch


def _by_time(items: Iterable[Item]) -> Iterator[Item]:
    """The objects, each once, by the time of their modification, within each stretch of so many that are listed.

    A batch of neighbours in time asks a look-up with a window for few stretches of time, whatever its objects are called.
    """
    remaining = iter(items)
    while listed := {item.uri: item for item in islice(remaining, MOST_SORTED)}:
        yield from sorted(listed.values(), key=lambda item: item.modified or FIRST_MOMENT)


def _line(item: Item) -> str:
    """An object as JSON, in ASCII since the name of a file may be no UTF-8."""
    modified = item.modified.isoformat() if item.modified else None
    return json.dumps({"uri": item.uri, "size": item.size, "modified": modified, "etag": item.etag})


def _item(line: bytes) -> Item:
    fields = json.loads(line)
    modified = fields["modified"]
    return Item(**{**fields, "modified": datetime.fromisoformat(modified) if modified else None})
