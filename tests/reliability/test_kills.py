"""The process dies at any request to AWS; one redelivery leaves the lake as if nothing had happened."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue
from typing import Any, NamedTuple

import pytest

from kit.network.proxy import Proxy, When, kill
from kit.shop import HandlerRun, Shop, forked

from .budget import SEED, budget
from .jobs import JOBS, Job
from .results import Results

SIDES: tuple[When, When] = ("before", "after")
SERVICES = {"s3", "dynamodb", "logs", "secretsmanager"}
ALONE, TOGETHER = budget(32, 10_000), budget(8, 10_000)
Files = dict[str, bytes]


class Point(NamedTuple):
    """The process dies before or after the n-th request of an operation of a job is carried out."""

    job: str
    operation: str
    number: int
    when: When


@dataclass
class Stage:
    """The jobs, what each asks AWS for in calm, and what it leaves there."""

    shop: Shop
    jobs: dict[str, Job]
    calls: dict[str, Counter[str]]
    lakes: dict[str, Files]

    def points(self, number: int) -> list[Point]:
        """As many kill points, the same on every day: each operation's first request, the others drawn."""
        every = [
            Point(job, operation, at, when)
            for job, calls in self.calls.items()
            for operation in sorted(calls)
            for at in range(1, calls[operation] + 1)
            for when in SIDES
        ]
        first = [point for point in every if point.number == 1]
        others = [point for point in every if point.number > 1]
        random.Random(SEED).shuffle(others)
        return (first + others)[:number]

    def survive(self, point: Point, *, together: bool = False) -> Files:
        """Kill a process, deliver everything once more to a new one, and return all that lies in the lake.

        With `together` another process gets the same messages at the same time, and lives.
        """
        lake = f"kill{'-together' * together}/" + "-".join(map(str, point)).replace(":", "-")
        job, pid = self.jobs[point.job], Queue[int]()
        events, calm = job.events(), job.environment(self.shop, lake)
        calm["AWS_ENDPOINT_URL"] = self.shop.sandbox.aws.endpoint
        with Proxy(self.shop.sandbox.aws.endpoint) as proxy, ThreadPoolExecutor(1) as pool:
            other = pool.submit(forked, calm, events) if together else None
            proxy.on(point.number, point.when, kill(pid.get), operation=point.operation)
            killed = forked({**calm, "AWS_ENDPOINT_URL": proxy.endpoint}, events, pid.put)
            assert killed.exitcode == -9, point
            assert other is None or other.result(120).exitcode == 0, point
        _assert_done(forked(calm, events), events)
        return self.shop.below(f"{lake}/")


def _assert_done(process: HandlerRun, events: list[Any]) -> None:
    assert process.exitcode == 0
    assert process.answers == [{"batchItemFailures": []}] * len(events)
    for report in process.reports:
        objects, records = report["objects"], report["records"]
        assert objects["seen"] == sum(objects[word] for word in objects if word != "seen")
        fates = ("written", "dropped", "quarantined", "left_out")
        assert records["read"] == sum(records[fate] for fate in fates)


@pytest.fixture(scope="module")
def stage(shop: Shop) -> Stage:
    """What undisturbed processes ask AWS for and leave in the lake."""
    jobs = {job.name: job for job in (make(shop) for make in JOBS)}
    stage = Stage(shop, jobs, {}, {})
    for name, job in jobs.items():
        job.fill(shop)
        with Proxy(shop.sandbox.aws.endpoint) as proxy:
            environment = {**job.environment(shop, f"calm/{name}"), "AWS_ENDPOINT_URL": proxy.endpoint}
            _assert_done(forked(environment, job.events()), job.events())
            stage.calls[name] = proxy.calls
        stage.lakes[name] = shop.below(f"calm/{name}/")
    return stage


@pytest.mark.parametrize("name", ["transactions", "refunds", "lines", "events"])
def test_a_calm_lake_has_the_rows_that_plain_python_computes(stage: Stage, name: str) -> None:
    """The runs that all killed ones are compared with are right, and wrote nothing beside sink and quarantine."""
    lake, job = stage.lakes[name], stage.jobs[name]
    sink, aside = f"extracted/{name}/", f"quarantine/{name}/"
    files = {key.removeprefix(sink): body for key, body in lake.items() if key.startswith(sink)}
    assert job.differences(files) == []
    assert sum(key.startswith(aside) for key in lake) == job.bad
    assert len(lake) == len(files) + job.bad


def test_the_kill_points_cover_every_service_and_pipeline(stage: Stage) -> None:
    """The sample has points before and after a request of each service, in each of the pipelines."""
    points = stage.points(ALONE)
    assert len(set(points)) == len(points) >= budget(ALONE, 400)
    assert {(point.operation.partition(":")[0], point.when) for point in points} == {
        (service, when) for service in SERVICES for when in SIDES
    }
    assert {point.job for point in points} == set(stage.jobs)


def _differing(stage: Stage, points: list[Point], *, together: bool) -> list[Point]:
    with ThreadPoolExecutor(2) as pool:
        lakes = list(pool.map(lambda point: stage.survive(point, together=together), points))
    return [point for point, lake in zip(points, lakes, strict=True) if lake != stage.lakes[point.job]]


@pytest.mark.fault("P5")
@pytest.mark.fault("P6")
def test_a_kill_and_one_redelivery_leave_the_same_bytes(stage: Stage, results: Results) -> None:
    """Killed at any request, then delivered once more: no row is lost or doubled, and no file is beside the others."""
    points = stage.points(ALONE)
    with results.part("kill points", SEED, points=len(points)):
        assert _differing(stage, points, together=False) == []


@pytest.mark.fault("E12")
@pytest.mark.fault("P9")
def test_a_kill_beside_a_second_copy_leaves_the_same_bytes(stage: Stage, results: Results) -> None:
    """The same while another process is at work on the same messages."""
    points = stage.points(10_000)[-TOGETHER:]
    with results.part("kill points beside a second copy", SEED, points=len(points)):
        assert _differing(stage, points, together=True) == []


def test_nothing_but_the_sinks_was_touched(stage: Stage) -> None:
    """What the jobs read stands there unchanged."""
    for job in stage.jobs.values():
        for key, body in job.objects.items():
            assert stage.shop.client.get_object(Bucket="shop-raw", Key=key)["Body"].read() == body
