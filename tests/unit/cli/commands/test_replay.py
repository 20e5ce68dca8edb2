"""`plait replay`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plait import load
from unit.cli.commands.conftest import SPEC, Call


@pytest.fixture
def bad(plait: Call, orders: str, project: Path) -> str:
    """Two orders in quarantine, one of which is mended."""
    (project / "raw" / "o4.json").write_text("{")
    (project / "raw" / "o5.json").write_text('{"id": "o5", "total": "much"}')
    assert plait("run", orders, "--all").exit_code == 0
    (project / "raw" / "o4.json").write_text('{"id": "o4", "ordered_at": "2026-07-04T10:00:00Z"}')
    return orders


def squeezed(text: str) -> list[str]:
    """Lines with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_records_are_counted_and_the_run_is_reported(plait: Call, bad: str, project: Path) -> None:
    ended = plait("replay", bad)
    lines = squeezed(ended.stdout)
    assert ended.exit_code == 0
    assert lines[0] == "quarantine 2 found, 1 removed, 1 still bad"
    assert "objects 2 seen, 2 done" in lines
    assert "records 2 read, 1 written, 1 quarantined" in lines
    assert "warning[bad-value]" in ended.stdout
    assert len([*(project / "bad").glob("*")]) == 1
    assert squeezed(plait("replay", bad).stdout)[0] == "quarantine 1 found, 0 removed, 1 still bad"


def test_json_is_one_document(plait: Call, bad: str) -> None:
    answer = json.loads(plait("replay", bad, "--code", "bad-value", "-o", "json").stdout)
    assert answer["format_version"] == 1
    assert answer["records"]["found"] == 2
    assert (answer["records"]["bad"], answer["records"]["left"]) == (1, 1)
    assert answer["run"]["records"]["quarantined"] == 1


def test_a_dry_run_says_what_would_be_removed(plait: Call, bad: str, project: Path) -> None:
    before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}
    ended = plait("replay", bad, "--dry-run")
    assert squeezed(ended.stdout)[0] == "quarantine 2 found, 1 would be removed, 1 still bad"
    assert {file: file.read_bytes() for file in project.rglob("*") if file.is_file()} == before


def test_times_choose_which_objects_run_again(plait: Call, bad: str) -> None:
    ended = plait("replay", bad, "--until", "2001-01-01")
    assert squeezed(ended.stdout)[0] == "quarantine 2 found, 0 removed, 2 left"


def test_objects_that_are_gone_are_forgotten_if_it_is_said(plait: Call, bad: str, project: Path) -> None:
    (project / "raw" / "o5.json").unlink()
    assert squeezed(plait("replay", bad).stdout)[0] == "quarantine 2 found, 1 removed, 1 gone"
    assert squeezed(plait("replay", bad, "--forget-gone").stdout)[0] == "quarantine 1 found, 1 removed"


def test_an_object_that_must_come_again_fails_the_command(plait: Call, bad: str) -> None:
    waits = "{on: id, as: list, missing: {retry_for: 1h}}"
    Path(bad).write_text(SPEC.replace("{on: id, as: list}", waits))
    ended = plait("replay", bad)
    assert ended.exit_code == 1
    assert squeezed(ended.stdout)[0] == "quarantine 2 found, 0 removed, 1 still bad, 1 retry"


def test_without_a_quarantine_it_cannot_start(plait: Call, orders: str) -> None:
    Path(orders).write_text(SPEC.replace("quarantine: ${root}/bad/\n", ""))
    ended = plait("replay", orders)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "error[no-quarantine]" in ended.stderr


def test_python_replays_the_same(bad: str) -> None:
    replayed = load(bad).replay()
    assert (replayed.found, replayed.records["removed"], replayed.records["bad"]) == (2, 1, 1)
    assert replayed.run.rows == 1
