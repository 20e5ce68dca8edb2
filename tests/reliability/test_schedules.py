"""Whatever happens to messages, objects, processes and clocks, in any order: guarantees 1 to 3 of the design hold."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kit.network.proxy import Proxy, When, drop
from kit.servers.logs import Logs
from kit.shop import Shop
from kit.watch.canaries import PAYLOAD

from .budget import SEED, budget
from .results import Results
from .world import SECRET, Clock, Stage, World, specs

SCHEDULES = budget(200, 2_000)
STEPS = 12
ORDERS = "abcd"
DAYS = ("2026-07-02T10:00:00Z", "2026-07-02T10:30:00Z", "2026-07-03T09:59:00Z")
CUSTOMERS = [f"c-0001-{PAYLOAD}customer", f"c-0002-{PAYLOAD}customer", "nobody"]
SKIPPED = "transactions/readme.txt"


def key(order: str) -> str:
    """The key of an order's object."""
    return f"transactions/{order}.json"


@st.composite
def documents(draw: Callable[..., Any], order: str) -> bytes:
    """An order as an object: usually good, else cut or without its id."""
    loyalty = {"loyalty": {"tier": "gold", "points": draw(st.integers(0, 3))}}
    body = {
        "transaction_id": order,
        "ordered_at": draw(st.sampled_from(DAYS[:2])),
        "store_id": draw(st.sampled_from([2, 3, 9_999_999])),
        "customer_id": draw(st.sampled_from(CUSTOMERS)),
        "total": draw(st.integers(0, 9)),
        "embedded_data": base64.b64encode(json.dumps(loyalty).encode()).decode(),
    }
    kind = draw(st.sampled_from(["good"] * 6 + ["cut", "no id"]))
    if kind == "no id":
        del body["transaction_id"]
    data = json.dumps(body).encode()
    return data[:-3] if kind == "cut" else data


orders = st.sampled_from(ORDERS)
announced = orders.flatmap(lambda order: st.tuples(st.just(order), documents(order)))


class Schedule(RuleBasedStateMachine):
    """What may happen, in any order."""

    stage: Stage
    steps: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.stage)

    @initialize(bodies=st.tuples(*map(documents, ORDERS[:2])), complete=st.booleans())
    def begin(self, bodies: tuple[bytes, bytes], complete: bool) -> None:
        for order, body in zip(ORDERS, bodies, strict=False):
            self.put((order, body))
            if complete:
                self.late_items(order, 1)
                self.late_log(order, 50, 0)

    @rule(announcement=announced)
    def put(self, announcement: tuple[str, bytes]) -> None:
        """An object comes, or is overwritten, and its event with it."""
        order, body = announcement
        self.world.put(key(order), body)
        self.world.pending.append(key(order))
        self.steps["put"] += 1

    @rule(order=orders)
    def delete(self, order: str) -> None:
        self.world.delete(key(order))
        self.steps["deleted"] += 1

    @rule(name=st.sampled_from([*map(key, ORDERS), SKIPPED]))
    def duplicate(self, name: str) -> None:
        """An event comes again, or for the first time of an object that is not there or none of ours."""
        self.world.pending.append(name)
        self.steps["duplicated"] += 1

    @rule(order=orders, lines=st.integers(1, 2))
    def late_items(self, order: str, lines: int) -> None:
        rows = "".join(f"sku-{n},{n},1.50\n" for n in range(lines))
        self.world.put(f"items/{order}.csv", f"sku,quantity,unit_price\n{rows}".encode())
        self.steps["late items"] += 1

    @rule(order=orders, score=st.integers(0, 100), delay=st.sampled_from([0, 300]))
    def late_log(self, order: str, score: int, delay: int) -> None:
        self.world.log(order, score, delay)
        self.steps["late log"] += 1

    @rule(seconds=st.sampled_from([0, 240, 480, 660, 86_400]))
    def jump(self, seconds: int) -> None:
        """The clock goes forward, or is set back."""
        self.world.jump(seconds)
        self.steps["clock jump"] += 1

    @precondition(lambda self: self.world.warm)
    @rule(cut=st.booleans())
    def rotate(self, cut: bool) -> None:
        self.stage.rotate(cut=cut)
        self.steps["secret rotated"] += 1

    @precondition(lambda self: self.world.warm)
    @rule()
    def change_spec(self) -> None:
        self.world.restart(1 - self.world.variant)
        self.steps["changed spec"] += 1

    @precondition(lambda self: self.world.pending)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        self.world.deliver(self._places(data))
        self.steps["delivered"] += 1

    @precondition(lambda self: self.world.pending)
    @rule(data=st.data(), number=st.integers(1, 16), when=st.sampled_from(["before", "after"]))
    def kill(self, data: st.DataObject, number: int, when: When) -> None:
        """From some request on the process is cut off from the world; nobody hears its answer."""
        proxy = self.stage.proxy
        self.world.mend()
        if when == "after":
            proxy.on(number, "after", drop())
        proxy.on(number + (when == "after"), "before", drop(), forever=True)
        self.world.deliver(self._places(data), killed=True)
        self.world.mend()
        self.steps["killed"] += 1

    @precondition(lambda self: self.world.pending)
    @rule()
    def deliver_all(self) -> None:
        self.world.deliver(list(range(len(self.world.pending)))[::-1])
        self.steps["delivered in reverse"] += 1

    def _places(self, data: st.DataObject) -> list[int]:
        every = range(len(self.world.pending))
        return data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=5, unique=True))

    def teardown(self) -> None:
        self.world.settle()
        self.world.check()
        self.steps["schedules"] += 1


@pytest.fixture
def stage(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The shop behind one proxy, in this process, with retries that do not wait."""
    clock = Clock()
    with (
        Logs(now=clock.seconds) as logs,
        Proxy(shop.sandbox.aws.endpoint, {"logs": logs.endpoint}) as proxy,
    ):
        files = specs(tmp_path)
        environment = {**shop.sandbox.environment(), "AWS_ENDPOINT_URL": proxy.endpoint, "PLAIT_BACKOFF": "0"}
        for name, value in {**environment, "PLAIT_SPEC": str(files[0])}.items():
            monkeypatch.setenv(name, value)
        yield Stage(shop, proxy, logs, files, clock)
        shop.sandbox.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


@pytest.mark.fault("E1")
@pytest.mark.fault("E2")
@pytest.mark.fault("E3")
@pytest.mark.fault("E4")
@pytest.mark.fault("P6")
@pytest.mark.fault("P10")
@pytest.mark.fault("S15")
@pytest.mark.fault("M3")
@pytest.mark.fault("W1")
@pytest.mark.fault("C1")
def test_every_schedule_ends_with_the_lake_of_the_newest_objects(stage: Stage, results: Results) -> None:
    """No message is lost, no count is off, nothing is deleted, and the lake is what plain Python computes."""

    class Seeded(Schedule):
        """The schedules of this run."""

    Seeded.stage, Seeded.steps = stage, Counter()
    calm = settings(
        max_examples=SCHEDULES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with results.part("schedules", SEED) as counts:
        run_state_machine_as_test(seed(SEED)(Seeded), settings=calm)
        counts.update(Seeded.steps)
        assert Seeded.steps["schedules"] >= SCHEDULES
        assert len(Seeded.steps) == 12, "nothing that may happen was left out"
