"""The process dies at any request to AWS; one redelivery leaves the lake as if nothing had happened."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import TYPE_CHECKING, NamedTuple

import pytest

import oracle
import oracle_lake
from harness.proxy import Proxy, When, kill

from .shop import batches, forked

if TYPE_CHECKING:
    from collections import Counter

    from .shop import Shop

KILLS = 40
SERVICES = {"s3", "dynamodb", "logs", "secretsmanager"}
Lake = dict[str, dict[str, bytes]]


class Point(NamedTuple):
    """The process dies before or after the n-th request of an operation is carried out."""

    operation: str
    number: int
    when: When


class Calm(NamedTuple):
    """A run in which nothing happens: its requests and its lake."""

    calls: Counter[str]
    lake: Lake


@pytest.fixture(scope="module")
def keys(shop: Shop) -> list[str]:
    """Twelve orders: the malformed one, one with a key that is hard to spell, and ten that are usual."""
    good = sorted(oracle.expect(shop.sample).rows)
    return [*good[:5], shop.sample.quirks["malformed"][0], *good[5:10], shop.sample.quirks["odd_key"][0]]


@pytest.fixture(scope="module")
def calm(shop: Shop, keys: list[str]) -> Calm:
    """What an undisturbed process asks AWS for and leaves in the lake."""
    with Proxy(shop.sandbox.aws.endpoint) as proxy:
        environment = {**shop.environment("calm"), "AWS_ENDPOINT_URL": proxy.endpoint}
        told = forked(environment, batches(keys, 4), lambda _pid: None)
        assert told.exitcode == 0
        return Calm(proxy.calls, _lake(shop, "calm"))


@pytest.fixture(scope="module")
def points(calm: Calm) -> list[Point]:
    """The same forty kill points on every day: each operation's first request, the others drawn."""
    sides: tuple[When, When] = ("before", "after")
    first = [Point(name, 1, when) for name in sorted(calm.calls) for when in sides]
    others = [
        Point(n, at, w) for n in sorted(calm.calls) for at in range(2, calm.calls[n] + 1) for w in sides
    ]
    return first + random.Random(KILLS).sample(others, KILLS - len(first))


def _lake(shop: Shop, name: str) -> Lake:
    return {kind: shop.lake(name, kind) for kind in ("extracted", "quarantine")}


def _survive(shop: Shop, keys: list[str], point: Point) -> Lake:
    """Kill a process at this point, deliver everything once more to a new one, and return the lake."""
    lake = f"kill/{point.operation.replace(':', '-')}-{point.number}-{point.when}"
    events, pid = batches(keys, 4), Queue[int]()
    with Proxy(shop.sandbox.aws.endpoint) as proxy:
        environment = {**shop.environment(lake), "AWS_ENDPOINT_URL": proxy.endpoint}
        proxy.on(point.number, point.when, kill(pid.get), operation=point.operation)
        assert forked(environment, events, pid.put).exitcode == -9, point
    told = forked({**environment, "AWS_ENDPOINT_URL": shop.sandbox.aws.endpoint}, events, lambda _pid: None)
    assert told.answers == [{"batchItemFailures": []}] * len(events), point
    return _lake(shop, lake)


def test_the_calm_lake_equals_the_oracle(shop: Shop, keys: list[str], calm: Calm) -> None:
    """The run that all killed ones are compared with has the rows that plain Python computes."""
    expected = oracle.expect(shop.sample)
    wanted = oracle.Expected(rows={key: row for key, row in expected.rows.items() if key in keys})
    assert oracle_lake.compare(wanted, oracle_lake.read_files(calm.lake["extracted"])) == []
    assert len(calm.lake["extracted"]) == len(keys) - 1
    assert len(calm.lake["quarantine"]) == 1


def test_the_kill_points_cover_every_service(points: list[Point]) -> None:
    """Forty different points, before and after, at S3, DynamoDB, Logs and Secrets Manager."""
    assert len(set(points)) == KILLS
    assert {(point.operation.partition(":")[0], point.when) for point in points} == {
        (service, when) for service in SERVICES for when in ("before", "after")
    }


@pytest.mark.fault("P5")
@pytest.mark.fault("P6")
def test_a_kill_and_one_redelivery_leave_the_same_bytes(
    shop: Shop, keys: list[str], calm: Calm, points: list[Point]
) -> None:
    """Killed at any of forty requests, then delivered once more: no row is lost, none is doubled."""
    with ThreadPoolExecutor(2) as pool:
        lakes = list(pool.map(lambda point: _survive(shop, keys, point), points))
    assert [point for point, lake in zip(points, lakes, strict=True) if lake != calm.lake] == []
