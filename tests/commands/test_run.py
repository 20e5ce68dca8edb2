"""`plait run`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from commands.conftest import SPEC, Call
from plait.commands._summary import size


def test_all_objects_become_rows_and_the_report_is_printed(plait: Call, orders: str, project: Path) -> None:
    (project / "raw" / "o4.json").write_text("{")
    ended = plait("run", orders, "--all")
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert ended.exit_code == 0
    assert "objects 4 seen, 4 done" in lines
    assert "records 4 read, 3 written, 1 quarantined" in lines
    assert "rows 3" in lines
    assert any(line.startswith("items 3 1 2 0") for line in lines)
    assert "warning[bad-record]" in ended.stdout
    assert len([*(project / "lake").rglob("*.parquet")]) == 3


def test_json_is_the_report(plait: Call, orders: str, project: Path) -> None:
    report = json.loads(plait("run", orders, "--object", project / "raw/o1.json", "-o", "json").stdout)
    assert report["format_version"] == 1
    assert report["objects"]["done"] == report["rows"] == 1
    assert [file["partition"] for file in report["files"]] == ["day=2026-07-01/"]


def test_an_event_names_the_objects(plait: Call, orders: str, project: Path) -> None:
    event = project / "event.json"
    event.write_text(json.dumps({"objects": [f"{project}/raw/o2.json", f"{project}/other.txt"]}))
    report = json.loads(plait("run", orders, "--event", event, "-o", "json").stdout)
    assert (report["objects"]["done"], report["objects"]["skipped"]) == (1, 1)


@pytest.mark.parametrize("text", ["{", "{}", "[1]"])
def test_an_event_that_names_nothing_cannot_be_run(
    plait: Call, orders: str, project: Path, text: str
) -> None:
    event = project / "event.json"
    event.write_text(text)
    ended = plait("run", orders, "--event", event)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "error[unknown-event]" in ended.stderr


def test_a_time_names_the_objects(plait: Call, orders: str) -> None:
    report = json.loads(plait("run", orders, "--until", "2001-01-01", "-o", "json").stdout)
    assert report["objects"]["seen"] == 0


@pytest.mark.parametrize("ways", [(), ("--all", "--object", "x"), ("--all", "--since", "2026-07-01")])
def test_exactly_one_way_names_the_objects(plait: Call, orders: str, ways: tuple[str, ...]) -> None:
    ended = plait("run", orders, *ways)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "exactly one of" in ended.stderr


def test_a_failed_object_fails_the_command_and_equal_problems_are_one(
    plait: Call, orders: str, project: Path
) -> None:
    Path(orders).write_text(SPEC.replace("quarantine: ${root}/bad/\n", ""))
    for n in (4, 5):
        (project / "raw" / f"o{n}.json").write_text("[]")
    ended = plait("run", orders, "--all")
    assert ended.exit_code == 1
    assert "3 done, 2 failed" in ended.stdout
    assert ended.stdout.count("error[bad-record]") == 1
    assert "2 times" in ended.stdout


def test_the_answer_alone_is_on_stdout(orders: str) -> None:
    script = "from plait.cli import main; main()"
    arguments = [sys.executable, "-P", "-c", script, "run", orders, "--all", "-o", "json"]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout)["rows"] == 3
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("number", "text"), [(1, "1 byte"), (1536, "1.5 KiB"), (3 * 1024**4, "3.0 TiB")])
def test_sizes_are_read_by_people(number: int, text: str) -> None:
    assert size(number) == text
