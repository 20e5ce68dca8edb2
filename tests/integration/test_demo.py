"""`plait demo`: what it prints fits the terminal, is the same each time, and is what the README shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from rich.cells import cell_len

README = Path(__file__).parents[2] / "README.md"
LEFT_OUT = "…"
DEMO = "import sys; from plait_sandbox.demo import main; sys.exit(main(*sys.argv[1:]))"


def demo(columns: int, *flavour: str) -> str:
    """What the demo prints to a terminal so wide; `flavour` is its MySQL, otherwise the best that is here."""
    environment = {name: value for name, value in os.environ.items() if "COLOR" not in name}
    done = subprocess.run(
        [sys.executable, "-P", "-c", DEMO, *flavour],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**environment, "COLUMNS": str(columns)},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wide() -> str:
    """What it prints to 100 columns."""
    return demo(100)


@pytest.fixture(scope="module")
def narrow() -> str:
    """What it prints to 80 columns, on a machine without MariaDB."""
    return demo(80, "mysql-mimic")


def words(output: str) -> Counter[str]:
    """The words, but for those of the line that names the servers."""
    lines = [line for line in output.splitlines() if not line.startswith("AWS is moto at")]
    return Counter(word for line in lines for word in line.replace("─", "").split())


def too_wide(output: str, columns: int) -> list[str]:
    """The lines that do not fit and could be broken between words."""
    return [line for line in output.splitlines() if cell_len(line) > columns and len(line.split()) > 1]


def test_every_line_of_the_demo_fits_its_terminal(wide: str, narrow: str) -> None:
    assert [line for line in wide.splitlines() if cell_len(line) > 100] == []
    assert too_wide(narrow, 80) == []


def test_the_demo_prints_the_same_whole_words_at_any_width_on_either_mysql(wide: str, narrow: str) -> None:
    """A word that was broken would be another at the other width."""
    assert words(wide) == words(narrow)


def test_the_readme_shows_what_the_demo_prints(wide: str) -> None:
    """Every line, in order; only where `…` stands lines are left out."""
    [block] = re.findall(
        r"^`make demo` .*?^```text\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    printed = [line.rstrip() for line in wide.splitlines()]
    for part in block.split(f"\n{LEFT_OUT}\n"):
        lines = part.splitlines()
        starts = [at for at in range(len(printed)) if printed[at : at + len(lines)] == lines]
        assert starts, f"the demo does not print these lines, or not there: {lines}"
        printed = printed[starts[0] + len(lines) :]


def test_the_demo_prints_no_traceback(wide: str, narrow: str) -> None:
    assert ["Traceback" in output for output in (wide, narrow)] == [False, False]
