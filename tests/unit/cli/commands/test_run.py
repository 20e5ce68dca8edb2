"""`plait run` and `plait replay`, beside their cases: events as AWS sends them, a process, and the same from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kit.console import Call, Console
from kit.paths import DATA
from kit.tables import table
from plait import load
from plait.cli.views.report import report_text
from plait.engine.report import Report
from plait.problems.problem import Problem

WAITING = {"orders.yaml": {"{on: id, as: list}": "{on: id, as: list, missing: {retry_for: 1h}}"}}


@pytest.mark.parametrize("name", [file.stem for file in (DATA / "events").iterdir()])
def test_every_event_that_the_function_takes_is_taken_from_a_file(
    plait: Call, orders: str, name: str
) -> None:
    event = DATA / "events" / f"{name}.json"
    ended = plait("run", orders, "--event", event, "-o", "json", "--param", "root=s3://shop-raw/elsewhere")
    report = json.loads(ended.stdout)
    assert ended.exit_code == 0
    assert report["objects"]["skipped"] == report["objects"]["seen"]
    assert report["objects"]["seen"] or report["ignored"] or name == "empty-records"


def test_the_answer_alone_is_on_stdout(orders: str) -> None:
    script = "from plait.cli.main import main; main()"
    arguments = [sys.executable, "-P", "-c", script, "run", orders, "--all", "-o", "json"]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout)["rows"] == 3
    assert "Traceback" not in ended.stderr


def test_python_takes_objects_as_they_are_by_no_wait(console: Console, orders: str, project: Path) -> None:
    console.prepare(specs=WAITING)
    pipeline = load(orders)
    assert pipeline.run(objects=[f"{project}/raw/o2.json"]).objects["retry"] == 1
    assert pipeline.run(objects=[f"{project}/raw/o2.json"], no_wait=True).objects["done"] == 1


def test_python_replays_the_same_as_the_command(console: Console, orders: str) -> None:
    for step in table("commands/replay.yaml")["before"]:
        console.take(step)
    replayed = load(orders).replay()
    assert (replayed.found, replayed.records["removed"], replayed.records["bad"]) == (2, 1, 1)
    assert replayed.run.rows == 1


def test_what_a_report_does_not_keep_is_counted() -> None:
    """It keeps a thousand problems of a level."""
    report = Report(pipeline="orders", spec_digest="")
    for number in range(1200):
        code = "bad-value" if number < 1100 else "no-match"
        report.add_problem(Problem(code=code, message="wrong", file=f"{number}.json", level="warning"))
    text = report_text(report)
    assert "1,000 times; the first is shown" in text
    assert text.endswith("not shown are 100 of bad-value, 100 of no-match")
