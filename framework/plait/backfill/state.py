"""The state of a backfill: its plan, the objects of each batch, and the markers of batches that ended."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import datetime  # noqa: TC003 - msgspec reads annotations
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from plait import __version__
from plait.aws_lambda.marker import put_marker
from plait.backfill.batches import in_batches, pack, size_of, unpack
from plait.engine.counts import ColumnCounts, LookupCounts  # noqa: TC001 - msgspec reads annotations
from plait.engine.report import OUTCOMES, RecordCounts
from plait.plugin import GiveUp, Item, ObjectChanged, PlaitError, Put, StoredObject
from plait.problems.problem import Problem  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from plait.engine.engine import Engine
    from plait.engine.report import Report
    from plait.language.spec import Spec
    from plait.plugin import Objects

PLAN = "plan.json"


class BackfillPlan(Struct, frozen=True, kw_only=True):
    """What a backfill runs over: the list that was taken at a time, in UTC, as so many batches in a folder of the state.

    `sizes` has the objects and bytes of each batch.
    """

    pipeline: str
    spec_digest: str
    parameters: dict[str, str]
    window: dict[str, str | None]
    taken_at: str
    folder: str
    sizes: list[tuple[int, int]]
    oldest: datetime | None = None
    version: str = __version__
    format_version: Literal[1] = 1

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return len(self.sizes)

    @property
    def objects(self) -> int:
        """How many objects there are."""
        return sum(objects for objects, _bytes in self.sizes)


class MarkedSource(Struct, frozen=True):
    """The counts of a source in a marker."""

    records: int
    columns: dict[str, ColumnCounts]


class Marker(Struct, frozen=True):
    """What a batch did, as `put_marker` puts it; `left` has the objects that are not done."""

    objects: dict[str, int]
    records: RecordCounts
    rows: int
    batches: int
    file_count: int
    file_bytes: int
    sources: dict[str, MarkedSource]
    lookups: dict[str, LookupCounts]
    calls: dict[str, int]
    seconds: dict[str, float]
    problems: list[Problem]
    problems_by_code: dict[str, int]
    left: dict[str, str]


class State:
    """The folder of one backfill's state, and what lies in it.

    What is read or put raises GiveUp, TryAgain.
    """

    def __init__(self, uri: str, objects: Objects) -> None:
        self.uri, self._objects = uri.rstrip("/"), objects
        self._plan: BackfillPlan | None = None

    def find_plan(self) -> BackfillPlan | None:
        """The plan, if there is one; raises GiveUp if it is none of ours, or gone from its markers."""
        data = read_object(self._objects, f"{self.uri}/{PLAN}")
        if data is None and not self._marked("done") | self._marked("left"):
            return None
        try:
            self._plan = msgspec.json.decode(data or b"", type=BackfillPlan)
        except msgspec.DecodeError as error:
            fault = (
                "is no plan of a backfill"
                if data is not None
                else "is gone, and markers of its batches stand"
            )
            message = f"`{self.uri}/{PLAN}` {fault}"
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
        sizes = list[tuple[int, int]]()
        oldest: datetime | None = None
        for number, batch in enumerate(in_batches(items, size), 1):
            self.put(f"{folder}{number:05}.jsonl.gz", pack(batch))
            sizes.append(size_of(batch))
            times = [item.modified for item in batch if item.modified]
            oldest = min([*times, oldest] if oldest else times, default=None)
        plan = BackfillPlan(
            pipeline=spec.name,
            spec_digest=spec.digest,
            parameters=dict(spec.parameters),
            window=dict(window),
            taken_at=now.isoformat(timespec="seconds"),
            folder=folder,
            sizes=sizes,
            oldest=oldest,
        )
        self.put(PLAN, msgspec.json.format(msgspec.json.encode(plan), indent=2), creates=True)
        return self.plan()

    def items(self, number: int) -> list[Item]:
        """The driving objects of a batch, as they were listed."""
        uri = f"{self.uri}/{self.plan().folder}{number:05}.jsonl.gz"
        data = read_object(self._objects, uri)
        items = unpack(data or b"")
        if len(items) != self.plan().sizes[number - 1][0]:
            message = f"`{uri}` is {'gone' if data is None else 'not as the plan has it'}"
            raise GiveUp(message, code="unknown-state", help="begin anew with another `--state`")
        return items

    def open_numbers(self) -> list[int]:
        """The numbers of the batches that are not done."""
        done = self.done_numbers()
        return [number for number in range(1, self.plan().batches + 1) if number not in done]

    def done_numbers(self) -> set[int]:
        """The numbers of the batches that are done."""
        return self._marked("done")

    def markers(self, only: Collection[int] | None = None) -> Iterator[tuple[int, Marker]]:
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
                yield number, _marker(answer, self.plan().sizes[number - 1][0])

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


def _marker(stored: StoredObject, objects: int) -> Marker:
    try:
        marker = msgspec.convert(json.loads(stored.data), Marker)
        if sum(marker.objects[outcome] for outcome in OUTCOMES) == objects:
            return marker
    except (ValueError, KeyError):  # msgspec's errors are values' errors
        pass
    message, help = f"`{stored.item.uri}` is no marker of its batch", "remove it, and its batch runs again"
    raise GiveUp(message, code="unknown-state", help=help)


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
