"""A backfill is killed at any moment, its parent or a worker of it; run again, it ends as one that nobody disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kit.network.proxy import Proxy
from kit.servers.buckets import contents

from .budget import SEED, budget

if TYPE_CHECKING:
    from plait_sandbox.aws import LocalAws

    from .results import Results

OBJECTS, KILLS, WORKERS, BATCH = budget(200, 20_000), budget(3, 10), 2, budget(25, 200)
PUTS_A_KILL, GETS_A_KILL = (
    200,
    500,
)  # and worker: a batch has so many files at most, and asks for so many objects
SPEC = """
plait: 1
name: orders
parameters: {lake: {default: "s3://shop/none"}}
sources:
  orders: {connector: json, path: "s3://shop/history/in/*.json", columns: {id: string, day: date, n: int}}
  items:
    connector: csv
    path: "s3://shop/history/items/{id}.csv"
    join: {on: id, as: list, missing: drop}
    columns: {sku: string}
partition_by: {day: day}
sink: {connector: parquet, path: "${lake}/out/"}
quarantine: ${lake}/bad/
"""


@dataclass
class History:
    """Objects on S3 behind a proxy that counts, and what an undisturbed backfill makes of them."""

    folder: Path
    client: Any
    proxy: Proxy
    environment: dict[str, str]

    def start(self, lake: str) -> subprocess.Popen[bytes]:
        """Start a backfill into a lake, in a process group of its own."""
        spec = self.folder / "orders.yaml"
        spec.write_text(SPEC)
        words = ["backfill", str(spec), "--param", f"lake=s3://shop/{lake}", "--all", "-o", "json"]
        words += ["--workers", str(WORKERS), "--batch", str(BATCH)]
        return subprocess.Popen(
            [str(Path(sys.executable).parent / "plait"), *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(self, lake: str) -> dict[str, Any]:
        """Run a backfill to its end; its report."""
        output, _ = self.start(lake).communicate(timeout=3000)
        report: dict[str, Any] = json.loads(output)
        return report

    def tree(self, lake: str) -> dict[str, bytes]:
        """The files of a lake and its quarantine."""
        objects = contents(self.client, "shop", f"{lake}/")
        return {key.removeprefix(f"{lake}/"): body for key, body in objects.items() if "._plait/" not in key}

    def requests(self) -> int:
        """How many requests came since the last reset."""
        return self.proxy.calls.total()


@pytest.fixture
def history(aws: LocalAws, s3: Any, tmp_path: Path) -> Any:
    def put(number: int) -> None:
        order = {
            "id": f"o{number}",
            "day": f"2026-07-{number % 9 + 1:02}",
            "n": number if number % 50 else "?",
        }
        s3.put_object(Bucket="shop", Key=f"history/in/{number:05}.json", Body=json.dumps(order))
        rows = "" if number % 70 == 3 else f"o{number},s{number}\no{number},t\n"
        s3.put_object(Bucket="shop", Key=f"history/items/o{number}.csv", Body=f"id,sku\n{rows}")

    with ThreadPoolExecutor(8) as pool:
        [*pool.map(put, range(OBJECTS))]
    with Proxy(aws.endpoint) as proxy:
        environment = {**os.environ, **aws.environment(), "AWS_ENDPOINT_URL": proxy.endpoint}
        yield History(tmp_path, s3, proxy, environment)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_all(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def kill_parent(process: subprocess.Popen[bytes]) -> None:
    process.kill()


def kill_worker(process: subprocess.Popen[bytes]) -> None:
    """The last child is a worker; a first one, multiprocessing's tracker of resources, ends with the parent."""
    if workers := children(process.pid):
        os.kill(workers[-1], signal.SIGKILL)


WAYS = (kill_all, kill_worker, kill_parent)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_at_any_moment_and_run_again_it_ends_as_if_undisturbed(
    history: History, results: Results
) -> None:
    calm = history.finish("calm")
    calls, total = history.proxy.calls, history.requests()
    chance = random.Random(SEED)
    with results.part("kills of a backfill", SEED, objects=OBJECTS, kills=KILLS) as counts:
        history.proxy.reset()
        for number in range(KILLS):
            moment = history.requests() + chance.randrange(1, total // KILLS)
            process = history.start("killed")
            while history.requests() < moment and process.poll() is None:
                time.sleep(0.01)
            WAYS[number % len(WAYS)](process)
            if WAYS[number % len(WAYS)] is kill_worker:
                time.sleep(0.2)
                kill_all(process)
            process.wait()
            assert process.stdout
            process.stdout.close()
        report = history.finish("killed")
        more = {name: history.proxy.calls[name] - calls[name] for name in ("s3:PutObject", "s3:GetObject")}
        counts |= {f"{name.removeprefix('s3:')}_more": number for name, number in more.items()}
    assert report["objects"] == calm["objects"]
    assert report["records"] == calm["records"]
    assert report["batches_left"] == 0
    assert history.tree("killed") == history.tree("calm")
    assert more["s3:PutObject"] <= PUTS_A_KILL * KILLS * WORKERS
    assert more["s3:GetObject"] <= GETS_A_KILL * KILLS * WORKERS


def test_a_worker_that_is_killed_is_replaced(history: History) -> None:
    """The command itself goes on, and ends well."""
    process = history.start("replaced")
    while history.requests() < OBJECTS // 2 and process.poll() is None:
        time.sleep(0.01)
    kill_worker(process)
    output, _ = process.communicate(timeout=3000)
    report = json.loads(output)
    assert (process.returncode, report["objects"]["done"], report["batches_left"]) == (0, OBJECTS, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_report_of_what_is_left(history: History, number: signal.Signals) -> None:
    """And no process of it goes on."""
    lake = f"ended-{number}"
    process = history.start(lake)
    while history.requests() < OBJECTS // 2 and process.poll() is None:
        time.sleep(0.01)
    workers = children(process.pid)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert json.loads(output)["batches_left"] > 0
    assert not [pid for pid in workers if Path(f"/proc/{pid}/cmdline").exists() and _is_running(pid)]
    assert history.finish(lake)["objects"]["done"] == OBJECTS


def _is_running(pid: int) -> bool:
    time.sleep(0.5)
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
