"""A log line that is ingested late: the queue delivers its order again, and nothing sleeps or is lost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kit.function.delivery import Queue
from kit.function.runtime import Function
from kit.locked import locked
from kit.network.proxy import Proxy
from kit.oracle import oracle_lake
from kit.servers.logs import Logs
from kit.shop import announced, edited_spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kit.function.runtime import Outcome
    from kit.shop import Shop

GROUP = "/shop/tx-fraud-score"
ORDERED = 1_782_986_400_000  # 2026-07-02T10:00:00Z
PLAIN = "{on: transaction_id, duplicates: latest}"
WAITING = "{on: transaction_id, duplicates: latest, missing: {retry_for: 10m}}"
VISIBILITY = 60.0


@pytest.fixture
def queue() -> Queue:
    return Queue(visibility=VISIBILITY, max_receives=5)


@pytest.fixture
def logs(queue: Queue) -> Iterator[Logs]:
    """Logs that live in the queue's time."""
    with Logs(now=lambda: 1_782_990_000.0 + queue.now) as logs:
        yield logs


@pytest.fixture
def function(shop: Shop, logs: Logs, tmp_path: Path) -> Iterator[Function]:
    """The pipeline as a function that waits for its line."""
    spec = edited_spec(tmp_path, {PLAIN: WAITING})
    with Proxy(shop.sandbox.aws.endpoint, {"logs": logs.endpoint}) as proxy:
        environment = replace(shop, proxy=proxy).environment("late-line")
        raw = {"RAW": "s3://shop-raw/late-line", "PLAIT_SPEC": locked(spec), "PLAIT_BACKOFF": "0.01"}
        with Function({**environment, **raw}) as function:
            yield function


def _order(shop: Shop, name: str) -> str:
    """Put an order; the body of its message."""
    return json.dumps(announced(shop.put_order("late-line", name)))


def _line(name: str, score: int, after: int = 0) -> tuple[int, str]:
    return ORDERED + after, f"[fraud] model v3: transaction {name} scored {score}"


def _scores(shop: Shop) -> dict[str, int]:
    rows = oracle_lake.read_files(shop.lake("late-line"))
    return {str(row["transaction_id"]): row["fraud_score"] for row in rows}


@pytest.mark.fault("W1")
def test_an_order_comes_again_until_its_line_is_ingested(
    shop: Shop, logs: Logs, queue: Queue, function: Function
) -> None:
    """Lines seen at once, after 100 s, out of order, and never: each order as often as its line made it wait."""
    lines = {"prompt": 0.0, "slow": 100.0, "slower": 200.0}
    for n, (name, delay) in enumerate(lines.items()):
        logs.put(GROUP, _line(name, 40 + n), delay=delay)
    logs.put(GROUP, _line("prompt", 7, after=-1000), delay=0)
    queue.send(*(_order(shop, name) for name in [*lines, "never"]))
    seen: Counter[str] = Counter()
    scores: list[dict[str, int]] = []

    def invoke(event: Any) -> Outcome:
        seen.update(
            record["body"].split("late-line/transactions/")[1].split(".")[0] for record in event["Records"]
        )
        outcome = function.invoke(event)
        assert outcome.kind == "answered", outcome
        scores.append(_scores(shop))
        return outcome

    queue.drain(invoke)
    assert scores[0] == {"prompt": 40}
    assert scores[2] == {"prompt": 40, "slow": 41}
    assert scores[-1] == {"prompt": 40, "slow": 41, "slower": 42}
    assert seen == {"prompt": 1, "slow": 3, "slower": 5, "never": 5}
    assert [json.loads(message.body)["detail"]["object"]["key"] for message in queue.dead] == [
        "late-line/transactions/never.json"
    ]
    assert function.starts == 1


@pytest.mark.fault("W6")
def test_a_throttled_group_is_asked_again_by_the_next_delivery(
    shop: Shop, logs: Logs, queue: Queue, function: Function
) -> None:
    """While the group refuses, the order comes again; its row never has the default score in between."""
    logs.put(GROUP, _line("throttled", 66))
    queue.send(_order(shop, "throttled"))
    logs.throttle(5)
    outcomes = queue.drain(function.invoke)
    assert [len(o.answer["batchItemFailures"]) for o in outcomes] == [1, 0], [o.log for o in outcomes]
    assert _scores(shop)["throttled"] == 66
