"""Which files hold a test of which fault: pytest collects the whole suite in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


class Marks:
    """A plugin of pytest that notes the files of each id that a test is marked with."""

    def __init__(self) -> None:
        self.files: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Look at every test, also at those that a later choice leaves out."""
        for item in items:
            for mark in item.iter_markers("fault"):
                for id in mark.args:
                    self.files[id].add(item.path.relative_to(ROOT).as_posix())


def marked() -> dict[str, list[str]]:
    """The files by id; raises AssertionError where the suite cannot be collected."""
    done = subprocess.run(
        [sys.executable, "-P", __file__],
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files_by_id: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return files_by_id


def _collect() -> int:
    marks = Marks()
    code = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider"], plugins=[marks])
    sys.stdout.write(f"\n{json.dumps({id: sorted(files) for id, files in marks.files.items()})}\n")
    return code


if __name__ == "__main__":
    sys.exit(_collect())
