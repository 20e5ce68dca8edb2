"""Distributions beside plait: built, unpacked into a folder, and used by processes that find them there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from zipfile import ZipFile

if TYPE_CHECKING:
    from pathlib import Path


def install(project: Path, folder: Path) -> None:
    """Build the wheel and unpack it, which is all that an installer does for a wheel without scripts."""
    built = folder / "dist"
    build = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=project, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    ZipFile(wheel).extractall(folder)
    wheel.unlink()


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, with what is installed there."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "IMPOSTOR_MARK": str(folder / "mark")}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def cli(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run plait in the folder, with what is installed there."""
    return python(folder, "-c", "from plait.cli.main import main; main(prog_name='plait')", *arguments)
