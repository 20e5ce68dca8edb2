"""`plait validate`, beside a process that imports a YAML reader and a JSON Schema validator and does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

SPEC = Path(__file__).parents[2] / "pipelines" / "transactions.yaml"
ROUNDS = 5
MANY = 100
VALIDATE = "import sys; from plait.cli import main; main(['validate', *sys.argv[1:]])"


def spent(code: str, files: Sequence[Path] = ()) -> float:
    """Seconds of CPU of a process, the least of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        before = os.times()
        command = [sys.executable, "-P", "-c", code, *map(str, files)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        rounds.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    return min(rounds)


def test_validate_is_quick_to_start_and_a_hundred_specs_cost_little_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At most 3 times the imports alone for one spec, and under 4 times one spec for a hundred."""
    text = SPEC.read_text(encoding="utf-8")
    files = [tmp_path / f"spec{number}.yaml" for number in range(MANY)]
    for number, file in enumerate(files):
        file.write_text(text.replace("name: transactions", f"name: transactions{number}"), encoding="utf-8")
    imports, one, many = spent("import yaml, jsonschema"), spent(VALIDATE, files[:1]), spent(VALIDATE, files)
    with capsys.disabled():
        print(
            f"\nplait validate, CPU: imports {imports:.2f} s, one spec {one:.2f} s ({one / imports:.1f} times), ",
            end="",
        )
        print(f"{MANY} specs {many:.2f} s ({many / one:.1f} times one)")
    assert one <= 3 * imports
    assert many < 4 * one
