"""`plait validate`, beside a process that imports a YAML reader and a JSON Schema validator and does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pytest

from kit.paths import ROOT

SPEC = ROOT / "pipelines" / "transactions.yaml"
ROUNDS = 5
MANY = 100
IMPORTS = "import yaml, jsonschema"
VALIDATE = "import sys; from plait.cli.main import main; main(['validate', *sys.argv[1:]])"


def spent(code: str, files: Sequence[Path] = ()) -> float:
    """Seconds of CPU of a process."""
    before = os.times()
    command = [sys.executable, "-P", "-c", code, *map(str, files)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def medians(*runs: tuple[str, Sequence[Path]]) -> list[float]:
    """The median of each run; they take turns, so that a slow minute is slow for all."""
    rounds = [[spent(*run) for run in runs] for _ in range(ROUNDS + 1)][1:]
    return [median(times) for times in zip(*rounds, strict=True)]


def test_validate_is_quick_to_start_and_a_hundred_specs_cost_little_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At most 3 times the imports alone for one spec, and under 4 times one spec for a hundred."""
    text = SPEC.read_text(encoding="utf-8")
    files = [tmp_path / f"spec{number}.yaml" for number in range(MANY)]
    for number, file in enumerate(files):
        file.write_text(text.replace("name: transactions", f"name: transactions{number}"), encoding="utf-8")
    imports, single, many = medians((IMPORTS, ()), (VALIDATE, files[:1]), (VALIDATE, files))
    with capsys.disabled():
        print(
            f"\nplait validate, CPU: imports {imports:.2f} s, one spec {single:.2f} s ({single / imports:.1f} times), ",
            end="",
        )
        print(f"{MANY} specs {many:.2f} s ({many / single:.1f} times one)")
    assert single <= 3 * imports
    assert many < 4 * single
