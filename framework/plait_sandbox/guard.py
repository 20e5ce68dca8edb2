"""A temporary folder and processes that end with the process that made them, however that one ends."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Reads the ids of processes until its input ends with the process that started it. A server that was just killed may
# still have a file open, so the folder is removed once more where that failed.
WAIT_AND_REMOVE = """
while read -r id; do ids="$ids $id"; done
[ -z "$ids" ] || kill -9 $ids 2>&-
for try in 1 2 3 4 5 6 7 8 9; do rm -rf "$1" 2>&- && exit; sleep 0.1; done
"""


@dataclass(frozen=True, slots=True)
class Guard:
    """A folder, and the input of the process that will remove it."""

    folder: Path
    input: IO[str]

    def end_with_folder(self, process: subprocess.Popen[bytes]) -> None:
        """Have a process killed before the folder is removed."""
        self.input.write(f"{process.pid}\n")
        self.input.flush()


@contextmanager
def guarded_folder(prefix: str) -> Iterator[Guard]:
    """Make a temporary folder, which another process removes when this block or this process ends."""
    folder = Path(tempfile.gettempdir(), f"{prefix}{secrets.token_hex(6)}")
    remover = subprocess.Popen(
        ["sh", "-c", WAIT_AND_REMOVE, "sh", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert remover.stdin is not None  # noqa: S101 - it is a pipe
    try:
        folder.mkdir(mode=0o700)
        yield Guard(folder, remover.stdin)
    finally:
        remover.communicate()


def end_on_sigterm() -> None:
    """Let this process end on SIGTERM as it does on Ctrl-C, so that its servers end first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
