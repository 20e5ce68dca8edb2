"""`plait backfill` with two workers, beside one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from plait_sandbox.sample_data import write

from .shop import clean, orders_of

if TYPE_CHECKING:
    from benchmarks.record import Figures

ORDERS = int(os.environ.get("PLAIT_ORDERS", "10000"))
ROUNDS = 3
OF_ONE = 1.6
FREE = 1.1  # of the time of one process, two that only count take at most so much where two cores are free
COUNT = "sum(range(20_000_000))"
SPEC = """
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: ./transactions/*.json
    columns: {transaction_id: string, ordered_at: timestamp, customer_id: string, total: "decimal(12,2)"}
  items:
    connector: csv
    path: ./items/{transaction_id}.csv
    columns: {sku: string, quantity: int, unit_price: "decimal(12,2)"}
    join: {on: transaction_id, as: list}
partition_by: {date: date(ordered_at)}
sink: {connector: parquet, path: ./lake/}
"""


def seconds(*commands: list[str], cwd: Path | None = None) -> float:
    """How long commands take side by side."""
    begin = time.perf_counter()
    processes = [subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL) for command in commands]
    assert not any(process.wait() for process in processes)
    return time.perf_counter() - begin


def has_two_cores() -> bool:
    """Whether two processes that count take as long as one."""
    count = [sys.executable, "-c", COUNT]
    single, both = (min(seconds(*[count] * number) for _ in range(ROUNDS)) for number in (1, 2))
    return both <= FREE * single


def backfill(folder: Path, workers: int, round_number: int) -> float:
    """Seconds of a backfill into a lake of its own."""
    spec = folder / f"orders{workers}{round_number}.yaml"
    spec.write_text(SPEC.replace("./lake/", f"./lake{workers}{round_number}/"), encoding="utf-8")
    plait = str(Path(sys.executable).parent / "plait")
    taken = seconds([plait, "backfill", spec.name, "--all", "--workers", str(workers)], cwd=folder)
    assert len([*folder.glob(f"lake{workers}{round_number}/**/*.parquet")]) == ORDERS
    return taken


def test_two_workers_take_little_more_than_half_the_time_of_one(tmp_path: Path, figures: Figures) -> None:
    """Over folders, with look-ups of CSV and no server; not measured where no two cores are free."""
    sample = clean(ORDERS + 100)
    for key in orders_of(sample)[ORDERS:]:
        del sample.objects[key]
    write(sample, tmp_path)
    are_free = has_two_cores()
    times = [[backfill(tmp_path, workers, number) for workers in (1, 2)] for number in range(ROUNDS)]
    single, two = (min(of_workers) for of_workers in zip(*times, strict=True))
    are_free = are_free and has_two_cores()
    figures.say(f"  one worker {single:.1f} s, two {two:.1f} s, {single / two:.2f} times as fast")
    label = "orders a second of two workers, of one, over folders"
    figures.add("workers", label, single / two if are_free else None, at_least=OF_ONE)
    assert figures.missed() == []
