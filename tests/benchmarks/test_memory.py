"""Peak memory of a run, which does not grow with the number of its objects."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from kit.paths import ROOT

if TYPE_CHECKING:
    from benchmarks.record import Figures

ORDERS = int(os.environ.get("PLAIT_ORDERS", "1000000"))
OF_A_TENTH = 1.1


def peak(program: str, orders: int) -> float:
    """The peak memory of a process of its own, in MB."""
    command = [sys.executable, "-P", "-m", "benchmarks.endless", program, str(orders)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return float(done.stdout.splitlines()[-1])


def test_ten_times_the_objects_take_no_more_memory(figures: Figures) -> None:
    tenth = ORDERS // 10
    few, many, hand = peak("plait", tenth), peak("plait", ORDERS), peak("hand", tenth)
    figures.add("peak memory", f"plait, {tenth:,} orders", few, "MB")
    figures.add("peak memory", f"plait, {ORDERS:,} orders", many, "MB")
    figures.add("peak memory", f"by hand at once, {tenth:,} orders", hand, "MB")
    label = f"peak memory of {ORDERS:,} orders, of {tenth:,}"
    figures.add("memory", label, many / few, at_most=OF_A_TENTH)
    assert figures.missed() == []
