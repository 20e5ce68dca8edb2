"""`plait backfill` holds the rates that it is given, and tells beforehand what a run takes by them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plait.cli.main import main

SPEC = """\
plait: 1
name: orders
sources: {orders: {connector: json, path: "s3://shop/in/*.json", columns: {id: int}}}
sink: {connector: parquet, path: "s3://shop/out/"}
"""
ORDERS = 10


@pytest.fixture
def spec(s3: Any, tmp_path: Path) -> str:
    """Ten orders in a bucket."""
    for number in range(ORDERS):
        s3.put_object(Bucket="shop", Key=f"in/{number}.json", Body=f'{{"id": {number}}}')
    file = tmp_path / "orders.yaml"
    file.write_text(SPEC)
    return str(file)


def backfill(spec: str, *options: str) -> Any:
    ended = CliRunner().invoke(main, ["backfill", spec, "--all", "-o", "json", *options])
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


def test_no_more_calls_of_a_service_begin_a_second_than_its_rate(spec: str) -> None:
    """The server is asked 10 times for an order and 10 times to store one, beside what the state takes."""
    begun = time.monotonic()
    report = backfill(spec, "--max-rate", "s3=40", "--batch", "5")
    seconds = time.monotonic() - begun
    assert report["calls"] == {"s3:GetObject": 10, "s3:PutObject": 10 + 1}  # one proves that conditions hold
    assert seconds >= 20 / 40


@pytest.mark.parametrize("workers", ["2", "1000"])
def test_workers_share_a_rate(spec: str, workers: str) -> None:
    """Each of two batches waits for its ten calls as long as half of the rate says, however many workers there may be."""
    report = backfill(spec, "--max-rate", "s3=8", "--batch", "5", "--workers", workers)
    assert sum(report["seconds"].values()) >= 2 * 9 / 4


def test_a_signal_ends_what_waits_for_its_turn(spec: str) -> None:
    """Its calls would have their turn an hour later."""
    command = [
        str(Path(sys.executable).with_name("plait")),
        "backfill",
        spec,
        "--all",
        "--max-rate",
        "s3=0.001",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "10 objects, listed at" in process.stderr.readline()
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        report, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (143, "terminated\n")
    assert "error[batches-left]: 1 of 1 batches did not end" in report


def test_a_dry_run_tells_what_is_left_and_writes_nothing(spec: str, s3: Any) -> None:
    told = backfill(spec, "--dry-run", "--batch", "4", "--max-rate", "s3=2")
    assert (told["objects"], told["bytes"], told["batches"]) == (10, 90, 3)
    assert told["calls"] == {"s3:GetObject": 10, "s3:PutObject": 10}
    assert told["seconds"] == pytest.approx(20 / 2)
    assert told["rates"][0] == {"operation": "s3", "scope": "`--max-rate`", "objects": 1}
    assert [each["Key"][:3] for each in s3.list_objects_v2(Bucket="shop")["Contents"]] == ["in/"] * 10
    backfill(spec, "--batch", "4")
    assert backfill(spec, "--dry-run", "--batch", "4")["objects"] == 0
    markers = s3.list_objects_v2(Bucket="shop", Prefix="out._plait/")["Contents"]
    done = next(each["Key"] for each in markers if each["Key"].endswith("done/00001.json"))
    s3.delete_object(Bucket="shop", Key=done)
    left = backfill(spec, "--dry-run", "--batch", "4")
    assert (left["objects"], left["bytes"], left["batches"]) == (4, 36, 1)
    text = CliRunner().invoke(main, ["backfill", spec, "--all", "--dry-run", "--max-rate", "s3=0.5"]).stdout
    assert "at least 0:00:16, at 0.25 objects a second: s3, `--max-rate`" in text


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        ("dynamo=5", "`dynamo` is not called: the spec calls `s3`"),
        ("s3=fast", "`fast` is no number of calls such as `500` or `0.5`"),
        ("s3=0", "`0` is no number"),
        ("s3=0.0001", "`0.0001` is no number"),
        ("s3", "is not `name=value`"),
    ],
)
def test_a_rate_that_limits_nothing_is_refused(spec: str, rate: str, told: str) -> None:
    ended = CliRunner().invoke(main, ["backfill", spec, "--all", "--max-rate", rate])
    assert ended.exit_code == 2
    assert told in " ".join(ended.stderr.split())
