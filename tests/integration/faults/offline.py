"""Runs commands in a process that notes what they open, start or compile; prints it as one line of JSON.

Usage: python -P offline.py COMMANDS, a JSON list of lists of arguments, of which `python CODE` is Python's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

EVENTS = (
    "socket.",
    "urllib.",
    "ftplib.",
    "http.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.spawn",
)
NATIVE = ("obstore", "boto3", "botocore", "pymysql", "awswrangler")


def offline(folder: Path, *commands: list[str]) -> Any:
    """Run commands in a process of their own, in a folder whose distributions it finds, and what was noted of it."""
    done = subprocess.run(
        [sys.executable, "-P", __file__, json.dumps(commands)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run each command and tell how it ended, what it said, and what was noted."""
    noted: list[str] = []

    def note(event: str, arguments: Any) -> None:
        if event.startswith(EVENTS):
            noted.append(f"{event} {arguments!r}"[:200])

    sys.addaudithook(note)
    from click.testing import CliRunner

    from plait.cli.main import main as plait

    ended = []
    for arguments in json.loads(sys.argv[1]):
        if arguments[0] == "python":
            exec(arguments[1])
            continue
        done = CliRunner().invoke(plait, arguments)
        ended.append({"code": done.exit_code, "stdout": done.stdout, "stderr": done.stderr})
    loaded = [name for name in NATIVE if name in sys.modules]
    sys.stdout.write(json.dumps({"ended": ended, "noted": noted, "loaded": loaded}) + "\n")


if __name__ == "__main__":
    main()
