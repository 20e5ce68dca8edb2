"""Two invocations that read different versions of one object, at any moment of each other: the newest stays."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kit import oracle_lake
from kit.locked import locked
from kit.proxy import Proxy, When
from kit.shop import Told, forked, queue

from .budget import LARGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kit.shop import Shop

    from .results import Results

PATIENCE = 60
DEEPEST = 5
ORDER = """\
plait: 1
name: versions
sources:
  orders: {connector: json, path: "s3://shop-raw/versions/**.json", columns: {id: string, version: int}}
sink: {connector: parquet, path: "s3://shop-lake/LAKE/extracted/transactions/"}
quarantine: s3://shop-lake/LAKE/quarantine/transactions/
"""
GOOD, BAD = '{{"id": "a", "version": {}}}', "no JSON {}"
CALM: dict[str, Any] = {"batchItemFailures": []}


class Moment(NamedTuple):
    """Before or after the n-th request of an invocation is carried out."""

    number: int
    when: When


class Meeting(NamedTuple):
    """Where the first invocation waits while the object is overwritten, where the second waits, who goes on first."""

    first: Moment
    second: Moment
    older_first: bool


class Left(NamedTuple):
    """What lies in the lake in the end: the versions that are rows, and those that are records in quarantine."""

    rows: list[int]
    aside: list[int]


@dataclass
class Held:
    """An invocation in a process of its own, held at a moment until it is released."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def hold(self) -> None:
        self.reached.set()
        self.released.wait(PATIENCE)

    def run(self, endpoint: str, environment: dict[str, str], key: str, moment: Moment) -> Told:
        with Proxy(endpoint) as proxy:
            proxy.on(moment.number, moment.when, self.hold)
            try:
                return forked(
                    {**environment, "AWS_ENDPOINT_URL": proxy.endpoint}, [queue([key])], lambda _pid: None
                )
            finally:
                self.reached.set()  # it may have ended before its moment came


def _moments() -> Iterator[Moment]:
    sides: tuple[When, When] = ("before", "after")
    return (Moment(number, when) for number in range(1, DEEPEST + 1) for when in sides)


def _meetings(deep: int) -> list[Meeting]:
    """Every pair of moments; in a quick run those of the first requests, where all that differs already happens."""
    pairs = [Meeting(a, b, older) for a in _moments() for b in _moments() for older in (True, False)]
    near = [
        one
        for one in pairs
        if one.first.number <= 2 and one.second.number <= deep and one.second.when == "before"
    ]
    return pairs if LARGE else near


def _meet(shop: Shop, spec: Path, lake: str, bodies: tuple[str, str], meeting: Meeting) -> Left:
    """What lies in the lake once whoever had to come again has come again."""
    key = f"versions/{lake}.json"
    environment = {**shop.environment(lake), "PLAIT_SPEC": locked(spec)}
    older, newer = Held(), Held()
    endpoint = shop.sandbox.aws.endpoint
    with ThreadPoolExecutor(2) as pool:
        _put(shop, key, bodies[0].format(1))
        first = pool.submit(older.run, endpoint, environment, key, meeting.first)
        assert older.reached.wait(PATIENCE)
        _put(shop, key, bodies[1].format(2))
        second = pool.submit(newer.run, endpoint, environment, key, meeting.second)
        assert newer.reached.wait(PATIENCE)
        order = (
            [(older, first), (newer, second)] if meeting.older_first else [(newer, second), (older, first)]
        )
        for held, running in order:
            held.released.set()
            running.result(PATIENCE)
    answers = [one for told in (first.result(), second.result()) for one in told.answers]
    if any(answer != CALM for answer in answers):
        again = forked({**environment, "AWS_ENDPOINT_URL": endpoint}, [queue([key])], lambda _pid: None)
        assert again.answers == [CALM]
    return _left(shop, lake)


def _left(shop: Shop, lake: str) -> Left:
    rows = [row["version"] for row in oracle_lake.read_files(shop.lake(lake))]
    records = [json.loads(data) for data in shop.lake(lake, "quarantine").values()]
    return Left(rows, [int(record["raw"].rpartition(" ")[2]) for record in records])


def _put(shop: Shop, key: str, body: str) -> None:
    shop.client.put_object(Bucket="shop-raw", Key=key, Body=body.encode())


@pytest.mark.parametrize(
    ("bodies", "deep", "wanted"),
    [
        pytest.param((GOOD, GOOD), 4, [Left([2], [])], id="good-good"),
        pytest.param((BAD, BAD), 4, [Left([], [2])], id="bad-bad"),
        # As in any order of whole deliveries, what the older version left elsewhere may stay, until a backfill or replay.
        pytest.param((BAD, GOOD), 2, [Left([2], []), Left([2], [1])], id="bad-good"),
        pytest.param((GOOD, BAD), 2, [Left([], [2]), Left([1], [2])], id="good-bad"),
    ],
)
@pytest.mark.fault("E2")
@pytest.mark.fault("E4")
@pytest.mark.fault("P9")
def test_the_newest_version_stays_wherever_two_invocations_meet(
    shop: Shop,
    tmp_path: Path,
    results: Results,
    request: pytest.FixtureRequest,
    bodies: tuple[str, str],
    deep: int,
    wanted: list[Left],
) -> None:
    """Each is held at one of its requests while the other goes on; in the end the second version is a row or set aside."""

    def outcome(number: int, meeting: Meeting) -> Left:
        lake = f"{request.node.callspec.id}/{number}"
        spec = tmp_path / f"{number}.yaml"
        spec.write_text(ORDER.replace("LAKE", lake))
        return _meet(shop, spec, lake, bodies, meeting)

    meetings = _meetings(deep)
    with (
        results.part(f"meetings, {request.node.callspec.id}", None, meetings=len(meetings)),
        ThreadPoolExecutor(2) as pool,
    ):
        found = list(pool.map(outcome, range(len(meetings)), meetings))
        assert [(m, left) for m, left in zip(meetings, found, strict=True) if left not in wanted] == []
