"""A backfill's processes are killed, all or one; given again, the command ends with what an undisturbed one leaves."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from kit.network.faults import StalledError
from kit.network.proxy import Proxy, kill
from plait.engine.context import Services
from plait.plugin import Put, Written
from plait_sandbox.aws import start_aws

from .budget import SEED, budget

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence

    from plait.plugin import StoredObject
    from plait_sandbox.aws import LocalAws

    from .results import Results

ORDERS, KILLS, WORKERS = budget(300, 20_000), budget(2, 10), 2
FEW = 100
BATCH = 100  # whose files may be written in vain, refused since they are there, and written again
MOST_PUTS, MOST_GETS = 200, 500  # in vain for each process that is killed
SPEC = """\
plait: 1
name: orders
parameters: {lake: {}, orders: {}}
sources:
  orders: {connector: json, path: "s3://shop/${orders}/*.json", columns: {id: string, n: int}}
  items:
    connector: csv
    path: "s3://shop/items/{id}.csv"
    join: {on: id, missing: drop}
    columns: {sku: string}
sink: {connector: parquet, path: "s3://shop/${lake}/out/"}
partition_by: {n: n}
quarantine: s3://shop/${lake}/bad/
"""


class Ended(NamedTuple):
    """What a backfill leaves: its report, its files, the requests that the server counted, how many processes were killed."""

    report: dict[str, Any]
    files: Mapping[str, bytes]
    calls: Counter[str]
    killed: int


class Backfills:
    """Runs backfills of the same orders, each into a lake of its own, and kills what runs them."""

    def __init__(self, aws: LocalAws, objects: Any, proxy: Proxy, folder: Path) -> None:
        self.objects, self.proxy, self.spec = objects, proxy, folder / "orders.yaml"
        self.spec.write_text(SPEC, encoding="utf-8")
        self.environment = {**os.environ, **aws.environment(), "AWS_ENDPOINT_URL": proxy.endpoint}
        self.draw = random.Random(SEED)
        self.process: subprocess.Popen[str]
        self.killed = 0

    def run(self, lake: str, moments: Sequence[int] = ()) -> Ended:
        """Run the command until it ends by itself; something is killed at each of these requests."""
        self.proxy.reset()
        self.killed = 0
        for moment in moments:
            self.proxy.on(moment, self.draw.choice(("before", "after")), kill(self._victim))
        printed = self.start(lake)
        while self.process.returncode == -signal.SIGKILL:
            printed = self.start(lake)
        assert self.process.returncode == 0
        calls = self.proxy.calls
        folder = f"s3://shop/{lake}/"
        uris = [item.uri for item in self.objects.list(folder) if "out._plait" not in item.uri]
        answers = zip(uris, self.objects.get(uris), strict=True)
        files = {uri.removeprefix(folder): cast("StoredObject", answer).data for uri, answer in answers}
        return Ended(json.loads(printed), files, calls, self.killed)

    def start(self, lake: str, orders: str = "in", batch: int = BATCH, seconds: float = 1_200) -> str:
        """Start the command, and wait until it and its workers are gone, which hold its stdout; what it printed."""
        values = ("--param", f"lake={lake}", "--param", f"orders={orders}")
        options = (*values, "--all", "--workers", str(WORKERS), "--batch", str(batch), "-o", "json")
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "plait"), "backfill", str(self.spec), *options],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self.process.communicate(timeout=seconds)[0]

    def _victim(self) -> int:
        """Draw a worker, the command alone, or all of them, which is the group of processes."""
        command = self.process.pid
        workers = _workers(command)
        victims = [(command, 1 + len(workers)), (-command, 1 + len(workers)), *((pid, 1) for pid in workers)]
        victim, processes = self.draw.choice(victims)
        self.killed += processes
        return victim


def _workers(command: int) -> list[int]:
    """The processes of a command that run batches."""
    try:
        children = Path(f"/proc/{command}/task/{command}/children").read_text("ascii").split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    except OSError:
        return []


@pytest.fixture(scope="module")
def backfills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfills]:
    """Orders with a file of items each, in an AWS that goes with them; one in fifty is bad, and one has no items."""
    with pytest.MonkeyPatch.context() as patch, start_aws() as aws, Proxy(aws.endpoint) as proxy:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        services = Services()
        objects = services.objects
        services.client("s3").create_bucket(
            Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        for start in range(0, ORDERS, 1_000):
            numbers = range(start, min(start + 1_000, ORDERS))
            puts = [put for n in numbers for put in (_order("in", n), _items(n))]
            assert all(isinstance(answer, Written) for answer in objects.put(puts))
        objects.put([_order("few", n) for n in range(FEW)])
        yield Backfills(aws, objects, proxy, tmp_path_factory.mktemp("backfills"))


def _order(folder: str, n: int) -> Put:
    order = {"id": f"o{n}", "n": "none" if n % 50 == 7 else n % 3}
    return Put(uri=f"s3://shop/{folder}/o{n:05}.json", data=json.dumps(order).encode())


def _items(n: int) -> Put:
    rows = f"o{n},s{n}\n" * bool(n % 50)
    return Put(uri=f"s3://shop/items/o{n}.csv", data=f"id,sku\n{rows}".encode())


def numbers_of(report: dict[str, Any]) -> dict[str, Any]:
    """What a report counts, however often a process was killed."""
    for word in ("seconds", "calls", "state"):
        del report[word]
    for lookup in report["lookups"].values():
        del lookup["calls"]
    return report


@pytest.mark.fault("P5")
def test_killed_processes_cost_little_and_change_nothing(backfills: Backfills, results: Results) -> None:
    """At random moments, while the objects are listed too, a worker, the command or both are killed."""
    calm = backfills.run("calm")
    gaps = [backfills.draw.randint(1, 2 * calm.calls.total() // KILLS) for _ in range(KILLS)]
    with results.part("kills of a backfill", SEED, orders=ORDERS, kills=KILLS) as counts:
        ended = backfills.run("killed", [*itertools.accumulate(gaps)])
        assert ended.files == calm.files
        assert numbers_of(ended.report) == numbers_of(calm.report)
        more = ended.calls - calm.calls
        counts |= {"processes": ended.killed, "puts": more["s3:PutObject"], "gets": more["s3:GetObject"]}
        assert ended.killed >= KILLS
        assert more["s3:PutObject"] <= MOST_PUTS * ended.killed
        assert more["s3:GetObject"] <= MOST_GETS * ended.killed


def test_no_worker_works_on_without_its_command(backfills: Backfills) -> None:
    """Not even one that waits for an answer when the command alone is killed: all are gone long before that comes."""

    def kill_command() -> None:
        os.kill(backfills.process.pid, signal.SIGKILL)
        raise StalledError

    backfills.proxy.reset()
    backfills.proxy.on(1, "before", kill_command, operation="s3:PutObject", path="orphans/out/", forever=True)
    backfills.start("orphans", "few", batch=50, seconds=30)
    assert backfills.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_with_a_report_of_what_is_left(
    backfills: Backfills, number: signal.Signals
) -> None:
    """And the command, given again, does what is left."""
    lake = f"ended-{number}"
    backfills.proxy.reset()
    backfills.proxy.on(FEW, "after", lambda: os.kill(backfills.process.pid, number))
    ended = json.loads(backfills.start(lake, "few", batch=10))
    assert backfills.process.returncode == 128 + number
    assert ended["batches_left"] > 0
    assert ended["problems"][0]["code"] == "batches-left"
    ended = json.loads(backfills.start(lake, "few"))
    assert (backfills.process.returncode, ended["batches_left"]) == (0, 0)
    assert ended["objects"]["done"] == ended["objects"]["seen"] == FEW
