"""`plait run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from kit.paths import DATA
from plait import load
from unit.cli.commands.conftest import SPEC, Call


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


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_an_event_names_is_printed_whatever_it_is(
    plait: Call, orders: str, project: Path, form: str
) -> None:
    """Half of a surrogate pair and what moves a cursor are escaped; both objects are not ours."""
    event = project / "event.json"
    event.write_text(r"""{"objects": ["s3://other/\ud800.json", "s3://other/\u001b[31m"]}""")
    ended = plait("run", orders, "--event", event, "-o", form, "--param", "root=s3://shop-raw")
    assert ended.exit_code == 0
    assert "\x1b" not in ended.stdout
    assert r"\ud800" in ended.stdout


def test_what_an_event_says_that_is_no_object_is_told(plait: Call, orders: str, project: Path) -> None:
    """Deletions are counted; a message that is not understood would come again, so the command fails."""
    deleted = {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}}
    bodies = [json.dumps(deleted), json.dumps({"objects": [f"{project}/raw/o1.json"]}), "hello"]
    event = project / "event.json"
    records = [{"eventSource": "aws:sqs", "messageId": str(n), "body": b} for n, b in enumerate(bodies)]
    event.write_text(json.dumps({"Records": records[:2]}))
    ended = plait("run", orders, "--event", event)
    assert ended.exit_code == 0
    assert "1 Object Deleted" in ended.stdout
    event.write_text(json.dumps({"Records": records}))
    ended = plait("run", orders, "--event", event)
    assert ended.exit_code == 1
    assert "message 2 names no object" in ended.stderr
    assert "1 done" in ended.stdout


@pytest.mark.parametrize("name", [file.stem for file in (DATA / "events").iterdir()])
def test_every_event_that_the_function_takes_is_taken_from_a_file(
    plait: Call, orders: str, project: Path, name: str
) -> None:
    event = DATA / "events" / f"{name}.json"
    ended = plait("run", orders, "--event", event, "-o", "json", "--param", "root=s3://shop-raw/elsewhere")
    report = json.loads(ended.stdout)
    assert ended.exit_code == 0
    assert report["objects"]["skipped"] == report["objects"]["seen"]
    assert report["objects"]["seen"] or report["ignored"] or name == "empty-records"


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
    script = "from plait.cli.main import main; main()"
    arguments = [sys.executable, "-P", "-c", script, "run", orders, "--all", "-o", "json"]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout)["rows"] == 3
    assert "Traceback" not in ended.stderr


def test_objects_that_wait_are_told_as_one_problem_and_may_be_taken_as_they_are(
    plait: Call, orders: str, project: Path
) -> None:
    """The problem says what is waited for and until when; `--no-wait` waits for nothing."""
    Path(orders).write_text(
        SPEC.replace("{on: id, as: list}", "{on: id, as: list, missing: {retry_for: 1h}}")
    )
    for n, born in ((2, "10:00"), (3, "10:20")):
        at = datetime.fromisoformat(f"2100-01-01T{born}:00Z").timestamp()
        os.utime(project / "raw" / f"o{n}.json", (at, at))
    ended = plait("run", orders, "--all")
    assert ended.exit_code == 1
    assert "objects 3 seen, 1 done, 2 retry" in " ".join(ended.stdout.split())
    assert ended.stdout.count("error[not-there-yet]: `items` has no match yet") == 1
    assert "note: 2 times; waited for until 2100-01-01T11:20:00Z" in ended.stdout

    ended = plait("run", orders, "--all", "--no-wait")
    assert ended.exit_code == 0
    assert "objects 3 seen, 3 done" in " ".join(ended.stdout.split())


def test_python_takes_objects_as_they_are_by_no_wait(orders: str, project: Path) -> None:
    Path(orders).write_text(
        SPEC.replace("{on: id, as: list}", "{on: id, as: list, missing: {retry_for: 1h}}")
    )
    pipeline = load(orders)
    assert pipeline.run(objects=[f"{project}/raw/o2.json"]).objects["retry"] == 1
    assert pipeline.run(objects=[f"{project}/raw/o2.json"], no_wait=True).objects["done"] == 1
