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
    from benchmarks.record import Figures
    from plait_sandbox.sample_data import Sample

ORDERS = int(os.environ.get("PLAIT_ORDERS", "100000"))
ROUNDS, EVENTS, SINGLE = 3, 300, 2_000
OF_HAND, OF_ONE_ORDER = 5.6, 2.5


@pytest.fixture(scope="module")
def shop() -> Sample:
    """Orders without a quirk; what they take in memory is no work for the collector of garbage."""
    sample = clean(ORDERS + 100)
    gc.collect()
    gc.freeze()
    return sample


@pytest.fixture(scope="module")
def keys(shop: Sample) -> list[str]:
    """The keys of the orders."""
    return orders_of(shop)[:ORDERS]


@pytest.mark.parametrize("part", [0.1, 1])
def test_history_keeps_up_with_the_job_by_hand(
    shop: Sample, keys: list[str], part: float, figures: Figures
) -> None:
    some = keys[: int(ORDERS * part)]
    items = items_of(some)
    sides = sides_of(shop)
    run_by_hand(shop, some[:100], sides)
    ratios, best = [], ({"total": float("inf")}, 0.0)
    for _ in range(ROUNDS):
        gc.collect()
        hand = run_by_hand(shop, some, sides)
        gc.collect()
        seconds = run_by_batch(engine(shop), items)
        ratios.append(seconds["total"] / hand)
        best = min(best, (seconds, hand), key=lambda timed: timed[0]["total"])
    figures.say(_phases("a file for each batch and partition", len(some), *best))
    label = f"CPU of the engine in memory, of the program by hand, at {len(some):,} orders"
    figures.add("engine", label, min(ratios), at_most=OF_HAND)
    assert figures.missed() == []


def test_a_file_for_each_object_costs_its_encoding(shop: Sample, keys: list[str], figures: Figures) -> None:
    made, some = engine(shop), keys[:SINGLE]
    seconds = run_by_object(made, items_of(some))
    hand = run_by_hand(shop, some, sides_of(shop))
    figures.say(_phases("a file for each object", len(some), seconds, hand))
    label = "CPU of the engine with a file for each order, of the program by hand with big files"
    figures.add("engine", label, seconds["total"] / hand)
    assert made.services.objects.written["files"] == len(some)  # type: ignore[attr-defined]


def test_one_warm_event_takes_few_times_the_cpu_of_one_order_by_hand(
    shop: Sample, keys: list[str], figures: Figures
) -> None:
    made, sides = engine(shop), sides_of(shop)
    ours, hand = [], []
    for key in keys[:EVENTS]:
        begin = time.process_time()
        made.new_report()
        made.run(items_of([key]))
        ours.append(time.process_time() - begin)
        hand.append(run_by_hand(shop, [key], sides))
    event, order = statistics.median(ours), statistics.median(hand)
    figures.say(f"  one warm event: {event * 1000:.2f} ms of CPU")
    label = "CPU of the engine for one order, of the program by hand"
    figures.add("engine", label, event / order, at_most=OF_ONE_ORDER)
    assert figures.missed() == []


def items_of(keys: list[str]) -> list[Item]:
    """The driving objects."""
    return [Item(uri=f"s3://shop-raw/{key}") for key in keys]


def _phases(title: str, orders: int, seconds: dict[str, float], hand: float) -> str:
    """Microseconds an order in each phase, and how often the job by hand would have run."""
    lines = [f"  {title}: {orders} orders, by hand {hand / orders * 1e6:.1f} µs an order"]
    for phase, taken in seconds.items():
        lines.append(f"    {phase:10} {taken / orders * 1e6:8.1f} µs {taken / hand:6.2f} x by hand")
    return "\n".join(lines)
