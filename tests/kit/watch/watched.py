"""Tests of which some must fail, run by a pytest of their own under some of the kit's plugins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

from kit.tables import table


class Watched:
    """The tests of a topic in `tests/data/watched_tests.yaml`."""

    def __init__(self, topic: str) -> None:
        self.cases: dict[str, dict[str, str]] = table("watched_tests.yaml")[topic]

    def text(self, begin: str, depth: int = 4) -> str:
        """All tests, each of which begins in this way and goes on this deep."""
        bodies = [body for cases in self.cases.values() for body in cases.items()]
        return "\n".join(f"{begin.format(name)}\n{indent(code, ' ' * depth)}\n" for name, code in bodies)

    def run(self, plugin: str, *options: str, cwd: Path, **environment: Any) -> list[str]:
        """Run the tests, each of which must end as it is said to; the lines that pytest prints."""
        plugins = [
            word for name in (plugin, "kit.watch.workers", "no:cacheprovider") for word in ("-p", name)
        ]
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rA", *plugins, *options],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
        )
        lines = ended.stdout.splitlines()
        assert ended.returncode == 1, ended.stdout + ended.stderr
        for outcome, cases in self.cases.items():
            ids = {line.split("::test_")[1].split(" ")[0] for line in lines if line.startswith(f"{outcome} ")}
            assert ids == {*cases}, ended.stdout
        return lines
