"""How long commands take to start, beside a Python that does nothing; and `plait validate` over many specs."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.record import Figures
from kit.paths import ROOT

SPEC = ROOT / "pipelines" / "transactions.yaml"
ROUNDS = int(os.environ.get("PLAIT_ROUNDS", "15"))
MANY = 100
NOTHING = "pass"
COMMAND = "import sys; from plait.cli.main import main; main(sys.argv[1:])"
OF_NOTHING = {"plait --help": 5, "plait validate": 22}
MANY_OF_ONE = 4.6


def spent(code: str, arguments: Sequence[str] = ()) -> float:
    """Seconds of CPU of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-P", "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(rounds: int, *runs: tuple[str, Sequence[str]]) -> list[float]:
    """The least of each run; they take turns, and the first two are not counted."""
    times = [[spent(*run) for run in runs] for _ in range(rounds + 2)][2:]
    return [min(of_run) for of_run in zip(*times, strict=True)]


def test_commands_start_in_few_times_what_python_takes(figures: Figures) -> None:
    nothing, help, validate = least(
        ROUNDS, (NOTHING, ()), (COMMAND, ["--help"]), (COMMAND, ["validate", str(SPEC)])
    )
    for name, seconds in {"plait --help": help, "plait validate": validate}.items():
        label = f"CPU of `{name}`, of `python -c pass`"
        figures.add("commands", label, seconds / nothing, at_most=OF_NOTHING[name])
    assert figures.missed() == []


def test_a_hundred_specs_are_validated_in_few_times_one(tmp_path: Path, figures: Figures) -> None:
    text = SPEC.read_text(encoding="utf-8")
    files = [tmp_path / f"spec{number}.yaml" for number in range(MANY)]
    for number, file in enumerate(files):
        file.write_text(text.replace("name: transactions", f"name: transactions{number}"), encoding="utf-8")
    single, many = least(3, (COMMAND, ["validate", str(files[0])]), (COMMAND, ["validate", *map(str, files)]))
    figures.add(
        "commands", f"CPU of `plait validate` with {MANY} specs, of one", many / single, at_most=MANY_OF_ONE
    )
    assert figures.missed() == []
