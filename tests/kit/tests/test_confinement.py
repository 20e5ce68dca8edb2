"""A test fails that leaves the temporary folders of its run, even if it swallows the error or a process of it leaves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).parents[1]
LEAVING = {
    "append": '(OUTSIDE / "old").open("a").close()',
    "link": '(tmp_path / "link").symlink_to(OUTSIDE); (tmp_path / "link/new").write_text("x")',
    "list": "os.listdir(OUTSIDE)",
    "list_of_root": "os.listdir('/')",
    "mkdir": '(OUTSIDE / "new").mkdir()',
    "read": '(OUTSIDE / "old").read_text()',
    "read_of_what_commands_left": '(PROJECT / "out/rows").read_text()',
    "relative": 'monkeypatch.chdir(OUTSIDE); Path("new").touch()',
    "remove": '(OUTSIDE / "old").unlink()',
    "rename": '(tmp_path / "a").touch(); (tmp_path / "a").rename(OUTSIDE / "new")',
    "rmtree": "shutil.rmtree(OUTSIDE)",
    "thread": 'with ThreadPoolExecutor() as pool: pool.submit((OUTSIDE / "new").touch)',
    "write": '(OUTSIDE / "new").write_text("x")',
    "write_in_the_repository": '(PROJECT / "new").write_text("x")',
}
STAYING = {
    "device": 'Path(os.devnull).write_text("x")',
    "home": '(Path.home() / "new").mkdir()',
    "process": 'subprocess.run(["sh", "-c", \'touch "$TMPDIR/a" "$HOME/b"\'], check=True)',
    "link_itself": '(tmp_path / "link").symlink_to(OUTSIDE); (tmp_path / "link").unlink()',
    "repository": "Path(__file__).read_text()",
    "system": 'Path(os.__file__).read_text(); os.listdir("/usr")',
    "tempfile": "tempfile.TemporaryDirectory().cleanup()",
    "tmp_path": '(tmp_path / "out").mkdir(); shutil.rmtree(tmp_path)',
    "unseen": 'subprocess.run(["touch", PROJECT / "left", HOME / "left"], check=True)',
}
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
    tests = [
        f"def test_{name}(tmp_path, monkeypatch):\n    with contextlib.suppress(OSError):\n        {code}\n"
        for name, code in (LEAVING | STAYING).items()
    ]
    (tmp_path / "project/tests/test_ways.py").write_text("\n".join([MODULE, *tests]))
    kit = tmp_path / "project/tests/kit"
    kit.mkdir()
    for name in ("confinement.py", "workers.py"):
        shutil.copy(KIT / name, kit)
    return tmp_path


@pytest.mark.parametrize("workers", [0, 2])
def test_a_test_that_leaves_fails_and_changes_nothing_there(folder: Path, workers: int) -> None:
    plugins = ("kit.confinement", "kit.workers", "no:cacheprovider")
    options = ["-q", "-rA", f"-n{workers}", f"--basetemp={folder / 'base'}"]
    options += [option for plugin in plugins for option in ("-p", plugin)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--rootdir={folder / 'project'}", "tests/test_ways.py"],
        env={
            **os.environ,
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder),
            "PYTHONPATH": str(folder / "project/tests"),
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=folder / "project",
    )
    said = done.stdout.splitlines()
    assert done.returncode == 1, done.stdout + done.stderr
    for outcome, ways in (("FAILED", LEAVING), ("PASSED", STAYING)):
        names = {line.split("::test_")[1].split(" ")[0] for line in said if line.startswith(f"{outcome} ")}
        assert names == {*ways}, done.stdout
    new = [line.split(" ")[1] for line in said if line.startswith("NEW: ")]
    assert new == [f"{folder}/home/left", f"{folder}/project/left"]
    assert not [*folder.glob("run-*")]
    assert [file.name for file in (folder / "outside").iterdir()] == ["old"]
