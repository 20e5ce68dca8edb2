"""A test fails that leaves the temporary folders of its run, even if it swallows the error or a process of it leaves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kit.watch.watched import Watched

WATCH = Path(__file__).parents[1] / "watch"
WATCHED = Watched("confinement")
BEGIN = "def test_{}(tmp_path, monkeypatch):\n    with contextlib.suppress(OSError):"
MODULE = """
import contextlib, os, shutil, subprocess, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).parents[1]
HOME, OUTSIDE = PROJECT.with_name("home"), PROJECT.with_name("outside")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose tests leave their folders or stay, a home, and a folder that is none of their business."""
    for name in ("project/tests", "project/out", "home", "outside"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("project/out/rows", "outside/old"):
        (tmp_path / name).touch()
    (tmp_path / "project/tests/test_ways.py").write_text(MODULE + WATCHED.text(BEGIN, depth=8))
    watch = tmp_path / "project/tests/kit/watch"
    watch.mkdir(parents=True)
    for name in ("confinement.py", "workers.py"):
        shutil.copy(WATCH / name, watch)
    return tmp_path


@pytest.mark.parametrize("workers", [0, 2])
def test_a_test_that_leaves_fails_and_changes_nothing_there(folder: Path, workers: int) -> None:
    lines = WATCHED.run(
        "kit.watch.confinement",
        *(f"-n{workers}", f"--basetemp={folder / 'base'}", f"--rootdir={folder / 'project'}"),
        "tests/test_ways.py",
        cwd=folder / "project",
        HOME=str(folder / "home"),
        TMPDIR=str(folder),
        PYTHONPATH=str(folder / "project/tests"),
    )
    new = [line.split(" ")[1] for line in lines if line.startswith("NEW: ")]
    assert new == [f"{folder}/home/left", f"{folder}/project/left"]
    assert not [*folder.glob("run-*")]
    assert [file.name for file in (folder / "outside").iterdir()] == ["old"]


def test_results_go_to_a_folder_that_is_not_there_yet(folder: Path) -> None:
    (folder / "project/tests/test_results.py").write_text(
        "import os, pathlib\n\ndef test_results():\n"
        "    results = pathlib.Path(os.environ['PLAIT_RESULTS'])\n"
        "    results.mkdir(parents=True, exist_ok=True)\n"
        "    (results / 'figures').touch()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "kit.watch.confinement", "-p", "no:cacheprovider"]
    values = {"HOME": folder / "home", "TMPDIR": folder, "PYTHONPATH": folder / "project/tests"}
    ended = subprocess.run(
        [*command, f"--rootdir={folder / 'project'}", "tests/test_results.py"],
        env={
            **os.environ,
            "PLAIT_RESULTS": "dist/lanes/laws",
            **{name: str(path) for name, path in values.items()},
        },
        cwd=folder / "project",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert (folder / "project/dist/lanes/laws/figures").exists()
