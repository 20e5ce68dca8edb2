"""The engine alone, bytes in memory, beside the same job written by hand for clean input."""

from __future__ import annotations

import gc
import os
import statistics
import time
from typing import TYPE_CHECKING

import pytest

from plait.plugin import Item

from .shop import clean, engine, orders_of, run_by_batch, run_by_hand, run_by_object, sides_of

if TYPE_CHECKING:
    from plait_sandbox.sample_data import Sample

ORDERS = int(os.environ.get("PLAIT_ORDERS", "10000"))
ROUNDS = 3
EVENTS = 300
AT_MOST, OF_ONE_ORDER = 10.0, 2.5


@pytest.fixture(scope="module")
def shop() -> Sample:
    """Orders without a quirk; what they take in memory is no work for the collector of garbage."""
    sample = clean(ORDERS)
    gc.collect()
    gc.freeze()
    return sample


def items_of(sample: Sample) -> list[Item]:
    """The driving objects."""
    return [Item(uri=f"s3://shop-raw/{key}") for key in orders_of(sample)]


def show(title: str, orders: int, seconds: dict[str, float], hand: float) -> None:
    """Print microseconds an order, and how often the job by hand would have run."""
    print(f"\n{title}: {orders} orders, by hand {hand / orders * 1e6:.1f} µs an order")
    for phase, taken in seconds.items():
        print(f"  {phase:10} {taken:7.2f} s {taken / orders * 1e6:8.1f} µs {taken / hand:6.2f} x by hand")


def test_history_keeps_up_with_the_job_by_hand(shop: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    items, keys = items_of(shop), orders_of(shop)
    run_by_hand(shop, keys[:100])
    ratios, best = [], ({"total": float("inf")}, 0.0)
    for _ in range(ROUNDS):
        gc.collect()
        hand = run_by_hand(shop, keys)
        gc.collect()
        seconds = run_by_batch(engine(shop), items)
        ratios.append(seconds["total"] / hand)
        best = min(best, (seconds, hand), key=lambda timed: timed[0]["total"])
    with capsys.disabled():
        show("a file for each batch and partition", len(keys), *best)
        print(f"  ratios {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    assert min(ratios) < AT_MOST


def test_a_file_for_each_object_costs_its_encoding(shop: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    items = items_of(shop)[:2000]
    made = engine(shop)
    seconds = run_by_object(made, items)
    with capsys.disabled():
        show("a file for each object", len(items), seconds, run_by_hand(shop, orders_of(shop)[:2000]))
    assert made.services.objects.written["files"] == len(items)  # type: ignore[attr-defined]


def test_one_warm_event_takes_few_times_the_cpu_of_one_order_by_hand(
    shop: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    made, sides, keys = engine(shop), sides_of(shop), orders_of(shop)[:EVENTS]
    ours, hand = [], []
    for key in keys:
        begin = time.process_time()
        made.new_report()
        made.run([Item(uri=f"s3://shop-raw/{key}")])
        ours.append(time.process_time() - begin)
        hand.append(run_by_hand(shop, [key], sides))
    event, order = statistics.median(ours), statistics.median(hand)
    with capsys.disabled():
        print(f"\none warm event: {event * 1000:.2f} ms of CPU, {event / order:.2f} times by hand")
    assert event <= OF_ONE_ORDER * order
