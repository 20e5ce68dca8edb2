"""The shipped cases, beside a process that imports the same and runs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from kit.paths import ROOT

if TYPE_CHECKING:
    from benchmarks.record import Figures

SPEC = ROOT / "pipelines" / "transactions.yaml"
ROUNDS = 5
OF_IMPORTS = 2
TEST = "from plait.cli.main import main; main(['test', sys.argv[1]], standalone_mode=False)"
IMPORTS = """
import plait.cli.main, plait.cli.commands.test, plait.testing.cases.runner, plait.testing.cases.compare, pyarrow.csv
pyarrow.array([1])  # which brings pandas, where it is installed
from plait.plugin.registry import connector
[connector(word) for word in ("json", "csv", "mysql", "dynamodb", "cloudwatch_logs", "parquet")]
"""


def spent(code: str) -> tuple[float, float]:
    """Seconds of a process: on the clock, and of CPU."""
    before, begin = os.times(), time.perf_counter()
    command = [sys.executable, "-P", "-c", f"import sys\n{code}", str(SPEC)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, cpu


def test_the_shipped_cases_take_little_more_than_their_start(figures: Figures) -> None:
    spent(IMPORTS)
    starts, tests = zip(*((spent(IMPORTS), spent(TEST)) for _ in range(ROUNDS)), strict=True)
    (start, idle), (clock, cpu) = (tuple(map(min, zip(*runs, strict=True))) for runs in (starts, tests))
    figures.say(f"  plait test: {clock:.2f} s, {clock - start:.2f} s beyond the same imports")
    figures.add("commands", "CPU of `plait test`, of the same imports alone", cpu / idle, at_most=OF_IMPORTS)
    assert figures.missed() == []
