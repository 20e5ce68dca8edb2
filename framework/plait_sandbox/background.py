"""Sandboxes of the command line: each has a folder with a pipe by which it is stopped, from any shell."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait.problems.errors import GiveUp
from plait_sandbox.guard import end_on_sigterm, guarded_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VARIABLE = "PLAIT_SANDBOX"  # names the folder of the sandbox that a shell uses
PREFIX = "plait-sandbox-"
PIPE = "stop"
LONGEST_STOP_SECONDS = 30.0
COMMAND = "from plait.cli.main import main; main(prog_name='plait')"


@contextmanager
def stoppable_folder() -> Iterator[Path]:
    """Make the folder of a sandbox."""
    with guarded_folder(PREFIX) as guard:
        os.mkfifo(guard.folder / PIPE)
        yield guard.folder


def wait_for_stop(folder: Path) -> None:
    """Wait until the sandbox of a folder is stopped; standard output ends, so that nobody waits for more of it."""
    sys.stdout.flush()
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    os.close(os.open(folder / PIPE, os.O_RDONLY))


def run_in_background(arguments: Sequence[str]) -> None:
    """Run `plait sandbox` in the background, print its exports when it is ready, and stop the one that this shell had."""
    end_on_sigterm()
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", COMMAND, "sandbox", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=messages,
            start_new_session=True,
        )
        try:
            exports = process.stdout.read() if process.stdout else b""
        except BaseException:
            process.terminate()
            process.wait()
            raise
        messages.seek(0)
        click.echo(messages.read(), err=True, nl=False)
    if not exports:
        raise click.exceptions.Exit(process.wait())
    if previous := os.environ.get(VARIABLE):
        _stop(Path(previous))
    click.echo(exports, nl=False)


def stop_sandboxes() -> int:
    """Stop the sandbox that the environment names, otherwise all of this user; returns how many ran."""
    if named := os.environ.get(VARIABLE):
        return _stop(Path(named))
    folders = Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    return sum(_stop(folder) for folder in folders if folder.stat().st_uid == os.getuid())


def _stop(folder: Path) -> bool:
    """Stop the sandbox of a folder, and return whether there was one; one that is starting stops when it is ready."""
    if not folder.exists():
        return False
    deadline = time.monotonic() + LONGEST_STOP_SECONDS
    while folder.exists():
        if time.monotonic() > deadline:
            raise GiveUp(f"the sandbox of `{folder}` does not stop", help="end its process")
        with suppress(OSError):  # nobody has the other end open yet, or any more
            os.close(os.open(folder / PIPE, os.O_WRONLY | os.O_NONBLOCK))
        time.sleep(0.05)
    return True
