"""`plait list`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from unit.cli.commands.conftest import Call


@pytest.fixture(autouse=True)
def times(project: Path) -> None:
    """Let order n be of July n."""
    for n in (1, 2, 3):
        at = datetime(2026, 7, n, tzinfo=UTC).timestamp()
        os.utime(project / "raw" / f"o{n}.json", (at, at))


def test_each_object_is_a_line_with_size_and_time(plait: Call, orders: str, project: Path) -> None:
    first, *others = plait("list", orders).stdout.splitlines()
    size = (project / "raw" / "o1.json").stat().st_size
    assert first == f"{project}/raw/o1.json\t{size}\t2026-07-01T00:00:00Z"
    assert len(others) == 2


def test_since_is_within_and_until_is_not(plait: Call, orders: str) -> None:
    ended = plait(
        "list", orders, "--since", "2026-07-02", "--until", "2026-07-03T02:00:00+02:00", "-o", "json"
    )
    answer = json.loads(ended.stdout)
    assert [listed["modified"] for listed in answer["objects"]] == ["2026-07-02T00:00:00Z"]


@pytest.mark.parametrize(
    "times", [("--since", "yesterday"), ("--since", "2026-07-02", "--until", "2026-07-01")]
)
def test_times_that_make_no_sense_are_usage_errors(plait: Call, orders: str, times: tuple[str, ...]) -> None:
    ended = plait("list", orders, *times)
    assert (ended.exit_code, ended.stdout) == (2, "")
