"""One warm process takes message after message for a long time: the rows are exact, and it does not grow."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kit.function.delivery import Queue
from kit.function.runtime import Function, Outcome
from kit.locked import locked
from kit.network import faults
from kit.network.proxy import Proxy
from kit.oracle import oracle_lake
from kit.shop import Shop, announced
from kit.watch.canaries import PAYLOAD

from .budget import SEED, budget
from .results import Results

EVENTS = budget(2_000, 50_000)
CHUNK = 500
SPEC = Path(__file__).parent / "pipelines" / "soak.yaml"
MEMORY = 1.05


class Size(NamedTuple):
    """What a process holds: resident kilobytes, file descriptors, threads, and connections to the database."""

    kilobytes: int
    descriptors: int
    threads: int
    connections: int


@dataclass
class Soak:
    """The function, the proxy before it, and what was sent and found so far."""

    shop: Shop
    proxy: Proxy
    function: Function
    random: random.Random = field(default_factory=lambda: random.Random(SEED))
    counts: Counter[str] = field(default_factory=Counter)
    sizes: list[Size] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self, start: int) -> None:
        """Send the orders of one chunk, see what they became, and clear them away."""
        orders = {f"soak/{n:06}.json": self._order(n) for n in range(start, min(start + CHUNK, EVENTS))}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.shop.put, orders, orders.values()))
        queue, keys = Queue(), self._shuffled(list(orders))
        queue.send(*(json.dumps(announced(key)) for key in keys))
        self._spoil(len(keys))
        queue.drain(self._invoke)
        self.counts.update(events=len(keys), dead=len(queue.dead))
        self._compare(orders)
        self.sizes.append(self._size())

    def _order(self, n: int) -> bytes:
        order = {"order_id": f"{n:06}", "version": n % 7, "store_id": self.random.randint(1, 500)}
        return json.dumps(
            {**order, "customer_id": f"c-{self.random.randint(1, 8):04}-{PAYLOAD}customer"}
        ).encode()

    def _shuffled(self, keys: list[str]) -> list[str]:
        """2 % of the events twice, 1 % far from their place."""
        again = self.random.sample(keys, len(keys) // 50)
        moved = set(self.random.sample(keys, len(keys) // 100))
        shuffled = [key for key in keys if key not in moved]
        for key in [*again, *moved]:
            shuffled.insert(self.random.randrange(len(shuffled) + 1), key)
        self.counts.update(duplicates=len(again), out_of_order=len(moved))
        return shuffled

    def _spoil(self, events: int) -> None:
        """1 % of the events meet a fault: each kind at reads and writes of objects and at the look-up."""
        self.proxy.reset()
        for n in range(events // 100):
            operation = ("s3:GetObject", "s3:PutObject", "dynamodb:BatchGetItem")[n % 3]
            service = operation.partition(":")[0]
            most = events if service == "s3" else events // 10
            before = [faults.throttled(service), faults.broken(service, 500), faults.drop()]
            kind = self.random.randrange(4)
            number = self.random.randint(1, most)
            if kind == 3:
                self.proxy.on(number, "after", faults.short(), operation=operation)
            else:
                self.proxy.on(number, "before", before[kind], operation=operation)
            self.counts["faults"] += 1

    def _invoke(self, event: Any) -> Outcome:
        outcome = self.function.invoke(event)
        self.counts["invocations"] += 1
        self.counts["not answered"] += outcome.kind != "answered"
        self.counts["messages that came again"] += len((outcome.answer or {}).get("batchItemFailures", ()))
        return outcome

    def _compare(self, orders: dict[str, bytes]) -> None:
        """Note what is lost, doubled or other than its order, then remove it all."""
        files = self.shop.below("soak/")
        columns = ("order_id", "version", "store_name")
        rows = [tuple(map(row.get, columns)) for body in files.values() for row in oracle_lake.rows_of(body)]
        self.wrong += oracle_lake.lost_or_added(map(self._wanted, orders.values()), rows)
        self.counts["rows"] += len(rows)
        self._remove("shop-lake", [f"soak/{key}" for key in files])
        self._remove("shop-raw", [*orders])

    def _wanted(self, body: bytes) -> tuple[Any, ...]:
        order, stores = json.loads(body), {number: name for number, name, _ in self.shop.sample.stores}
        return (order["order_id"], order["version"], stores[order["store_id"]])

    def _remove(self, bucket: str, keys: list[str]) -> None:
        for start in range(0, len(keys), 1_000):
            some = [{"Key": key} for key in keys[start : start + 1_000]]
            self.shop.client.delete_objects(Bucket=bucket, Delete={"Objects": some})

    def _size(self) -> Size:
        assert self.function.process is not None
        folder = Path("/proc", str(self.function.process.pid))
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        query = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'reader'"
        [[connections]] = self.shop.sandbox.mysql.execute(query)
        descriptors = len(list((folder / "fd").iterdir()))
        kilobytes = int(status["VmRSS"].split()[0])
        return Size(kilobytes, descriptors, int(status["Threads"]), int(connections))


@pytest.fixture
def soak(shop: Shop) -> Iterator[Soak]:
    """The soak's pipeline in one process of the Lambda runtime."""
    with Proxy(shop.sandbox.aws.endpoint) as proxy:
        environment = replace(shop, proxy=proxy).environment("soak")
        own = {"PLAIT_SPEC": locked(SPEC), "PLAIT_BACKOFF": "0.005"}
        with Function({**environment, **own}) as function:
            yield Soak(shop, proxy, function)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what a process holds is read from /proc")
def test_a_warm_process_neither_errs_nor_grows(soak: Soak, results: Results) -> None:
    """Exact rows after all events, and at the end hardly more memory, files, threads and connections than early on."""
    with results.part("soak", SEED) as counts:
        for start in range(0, EVENTS, CHUNK):
            soak.run(start)
        early, late = soak.sizes[max(len(soak.sizes) // 10 - 1, 0)], soak.sizes[-1]
        counts.update(soak.counts, early_kilobytes=early.kilobytes, late_kilobytes=late.kilobytes)
        assert soak.wrong == []
        assert soak.counts["rows"] == EVENTS
        assert soak.counts["dead"] == soak.counts["not answered"] == 0
        assert soak.function.starts == 1
        assert late.kilobytes <= early.kilobytes * MEMORY, soak.sizes
        assert all(end <= begin for begin, end in zip(early[1:], late[1:], strict=True)), soak.sizes
