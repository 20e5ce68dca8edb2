"""The main job over 2,000 orders on one server of AWS, beside programs that do it by other means."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from plait_sandbox import start_sandbox

from .contest import PEERS, Program
from .shop import clean, items_of, orders_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.record import Figures
    from plait_sandbox.sandbox import Sandbox

ORDERS = int(os.environ.get("PLAIT_ORDERS", "2000"))
# Awswrangler's function takes each order alone and as long as the last, so a part is as good; dlt's rate rises with the orders.
PART, FEW = ORDERS // 10, ORDERS // 40
ONE_SESSION = "awswrangler, one session"
PROGRAMS = (
    Program("plait run", "plait_run", ORDERS, ORDERS, rounds=2),
    Program("plait backfill, 2 workers", "plait_backfill", ORDERS, ORDERS, rounds=2),
    Program("by hand", "by_hand", ORDERS, ORDERS, rounds=2),
    Program("polars", "polars_script", ORDERS, ORDERS, str(PEERS), rounds=2),
    Program("dlt, no joins", "dlt_pipeline", ORDERS, ORDERS, str(PEERS)),
    Program(ONE_SESSION, "wrangler_function", PART, FEW, sys.executable, {"ONE_SESSION": "yes"}),
    Program("awswrangler as written", "wrangler_function", FEW, FEW),
)
OF_ONE_SESSION, OF_DLT = 20, 2.5  # the server is what 4 wait for: it answers plait and dlt alike
CALLS = 3_050  # for 1,000 orders: two GETs and a PUT each, and 1.7 % for all else


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Sandbox, list[str]]]:
    """A filled sandbox, and the keys of its orders, of which there are as many as the programs take."""
    sample = clean(ORDERS + ORDERS // 10 + 100)
    keys = orders_of(sample)
    for key in keys[ORDERS:]:
        del sample.objects[key], sample.objects[items_of(key)]
    with start_sandbox() as sandbox:
        sandbox.fill(sample, announce=False)
        yield sandbox, keys[:ORDERS]


def test_plait_is_faster_than_other_programs_on_one_server(
    shop: tuple[Sandbox, list[str]], figures: Figures
) -> None:
    """The server takes most of the time of all that is not slow, so the ratios here are the least that can be."""
    sandbox, keys = shop
    rates = {}
    for program in PROGRAMS:
        seconds = min(program.seconds(sandbox, keys[: program.timed])["wall"] for _ in range(program.rounds))
        rates[program.name] = program.timed / seconds
        figures.add("orders a second", program.name, rates[program.name], "a second")
    plait = rates["plait run"]
    of_wrangler, of_dlt = plait / rates[ONE_SESSION], plait / rates["dlt, no joins"]
    figures.add(
        "rate",
        "orders a second, of awswrangler's function with one session",
        of_wrangler,
        at_least=OF_ONE_SESSION,
    )
    figures.add(
        "rate",
        "orders a second, of awswrangler's function as written",
        plait / rates["awswrangler as written"],
    )
    figures.add("rate", "orders a second, of dlt, which joins nothing", of_dlt, at_least=OF_DLT)
    assert figures.missed() == []


def test_plait_asks_for_little_more_than_the_objects(
    shop: tuple[Sandbox, list[str]], figures: Figures
) -> None:
    sandbox, keys = shop
    for program in PROGRAMS:
        calls = 1000 * program.calls(sandbox, keys[: program.counted]) / program.counted
        limit = {"at_most": CALLS} if program.module.startswith("plait") else {}
        figures.add("calls", program.name, calls, "calls", **limit)
    assert figures.missed() == []
