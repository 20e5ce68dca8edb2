"""`plait backfill`: a plan of batches, the markers that they leave, and the sum of these."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from kit.run import put
from plait import __version__
from plait.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: "FOLDER/in/*.json", columns: {id: int}}
  names:
    connector: csv
    path: "FOLDER/names/{id}.csv"
    columns: {name: string}
    join: {on: id, missing: {retry_for: 1h}}
sink: {connector: parquet, path: "FOLDER/SINK/"}
quarantine: FOLDER/bad/
"""
ORDERS = 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten orders, of which one is bad, each with a name."""
    for number in range(ORDERS):
        put(tmp_path / "in" / f"o{number}.json", {"id": "x" if number == 3 else number})
        put(tmp_path / "names" / f"{number}.csv", f"name\nn{number}\n")
    return tmp_path


def plait(folder: Path, command: str, *options: str, sink: str = "out") -> Result:
    spec = folder / f"{sink}.yaml"
    spec.write_text(SPEC.replace("FOLDER", str(folder)).replace("SINK", sink))
    return CliRunner().invoke(main, [command, str(spec), "--all", "-o", "json", *options])


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.rglob("*.parquet"))}


def state(folder: Path) -> Path:
    (found,) = (folder / "out._plait" / "backfill").iterdir()
    return found


COUNTS = ("objects", "records", "rows", "file_count", "file_bytes", "lookups", "sources", "problems")


def counts(ended: Result) -> dict[str, Any]:
    """What two runs over the same objects count alike, however many batches they took."""
    report = json.loads(ended.stdout)
    report["problems"] = [problem["code"] for problem in report["problems"]]
    for lookup in report["lookups"].values():
        del lookup["calls"], lookup["fetches"]
    return {name: report[name] for name in COUNTS}


def test_batches_write_and_count_what_one_run_does(folder: Path) -> None:
    ended = plait(folder, "backfill", "--batch", "3")
    assert ended.exit_code == 0, ended.output
    single = plait(folder, "run", sink="single")
    assert files(folder / "out") == files(folder / "single")
    assert counts(ended) == counts(single)
    assert {file.name for file in (state(folder) / "done").iterdir()} == {
        f"{n:05}.json" for n in (1, 2, 3, 4)
    }


def test_given_again_only_the_batches_without_a_marker_run(folder: Path) -> None:
    """And the objects are those of the plan, whatever came since."""
    first = plait(folder, "backfill", "--batch", "3")
    (state(folder) / "done" / "00002.json").unlink()
    before = {file: file.stat().st_mtime_ns for file in (folder / "out").iterdir()}
    put(folder / "in" / "new.json", {"id": 77})
    again = plait(folder, "backfill", "--batch", "3")
    assert counts(again) == counts(first)
    rewritten = {file.name for file, time in before.items() if file.stat().st_mtime_ns != time}
    assert len(rewritten) == 2
    assert len(before) == len(files(folder / "out")) == ORDERS - 1


def test_what_must_come_again_is_left_with_its_objects_and_runs_again(folder: Path) -> None:
    late = folder / "names" / "5.csv"
    late.unlink()
    ended = plait(folder, "backfill", "--batch", "3")
    report = json.loads(ended.stdout)
    assert ended.exit_code == 1
    assert report["objects"] == {"seen": 10, "done": 9, "skipped": 0, "gone": 0, "retry": 1, "failed": 0}
    assert report["batches_left"] == 1
    (left,) = (state(folder) / "left").iterdir()
    assert json.loads(left.read_bytes())["left"] == {str(folder / "in" / "o5.json"): "retry"}
    put(late, "name\nn5\n")
    again = plait(folder, "backfill", "--batch", "3")
    assert again.exit_code == 0
    assert counts(again) == counts(plait(folder, "run", sink="single"))


def test_a_plan_of_another_version_is_refused(folder: Path) -> None:
    plait(folder, "backfill")
    plan = state(folder) / "plan.json"
    plan.write_text(plan.read_text().replace(f'"{__version__}"', '"0.0.1"'))
    ended = plait(folder, "backfill")
    assert ended.exit_code == 1
    assert "version 0.0.1 of plait began this backfill" in ended.output


@pytest.mark.parametrize("name", ["-", "uris.txt"])
def test_a_list_comes_from_a_pipe_or_a_file(folder: Path, name: str) -> None:
    """Its lines end as on Windows; what is named twice changes nothing, and what is no object of the source is skipped."""
    (folder / "out.yaml").write_text(SPEC.replace("FOLDER", str(folder)).replace("SINK", "out"))
    uris = [str(folder / "in" / name) for name in ("o1.json", "o2.json", "o1.json", "o4.txt")]
    text = "\r\n".join([*uris, ""]).encode()
    (folder / "uris.txt").write_bytes(text)
    command = [str(Path(sys.executable).parent / "plait"), "backfill", "out.yaml", "--objects", name]
    ended = subprocess.run([*command, "-o", "json"], input=text, cwd=folder, capture_output=True, check=True)
    objects = json.loads(ended.stdout)["objects"]
    assert (objects["seen"], objects["skipped"]) == (3, 1)
    assert objects["done"] == len(files(folder / "out")) == 2


def test_a_command_that_goes_on_tells_how_far_it_is_with_what_was_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plait.cli.views.backfill.SECONDS_BETWEEN_LINES", 0)
    assert "batches: 5 of 5, objects: 10 of 10, " in plait(folder, "backfill", "--batch", "2").stderr
    (state(folder) / "done" / "00002.json").unlink()
    assert "batches: 1 of 1, objects: 2 of 2, " in plait(folder, "backfill", "--batch", "2").stderr


def test_given_again_it_tells_how_many_batches_are_to_run(folder: Path) -> None:
    told = [plait(folder, "backfill", "--batch", "4").stderr.splitlines()[0] for _ in range(2)]
    put(folder / "in" / "later.json", {"id": 3})
    told.append(plait(folder, "backfill").stderr.splitlines()[0])
    assert [line.partition(": ")[2].partition(";")[0] for line in told] == [
        "3 of 3 batches to run",
        "0 of 3 batches to run",
        "0 of 3 batches to run",
    ]


def test_a_dry_run_over_nothing_says_what_lies_near(folder: Path) -> None:
    (folder / "empty.yaml").write_text(SPEC.replace("FOLDER", str(folder)).replace("SINK", "out"))
    window = ("--since", "2001-01-01", "--until", "2002-01-01")
    told = CliRunner().invoke(main, ["backfill", str(folder / "empty.yaml"), *window, "--dry-run"])
    assert (told.exit_code, told.stdout.splitlines()[0]) == (0, "objects  0 (0 bytes)")
    assert "no-objects" in told.stderr
    assert "o0.json" in told.stderr


def test_a_plan_for_spark_tells_its_commands_and_no_error(folder: Path) -> None:
    planned = plait(folder, "backfill", "--on", "spark", "-o", "text")
    assert planned.exit_code == 0
    assert planned.stdout.startswith("run what is left by one of these commands:")
    refused = plait(folder, "backfill", "--on", "spark", "--workers", "2")
    assert refused.exit_code == 2
    assert "--workers" in refused.stderr


def test_ctrl_c_while_processes_start_is_one_word(folder: Path) -> None:
    """A terminal sends it to all processes of the command."""
    (folder / "out.yaml").write_text(SPEC.replace("FOLDER", str(folder)).replace("SINK", "out"))
    command = [str(Path(sys.executable).parent / "plait"), "backfill", "out.yaml", "--all", "--batch", "1"]
    with subprocess.Popen(
        [*command, "--workers", "3"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr
        assert "10 objects, listed at" in process.stderr.readline()
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        errors = process.stderr.read()
    assert (process.returncode, errors) == (130, "interrupted\n")


def test_more_processes_than_the_machine_allows_are_told(folder: Path) -> None:
    (folder / "out.yaml").write_text(SPEC.replace("FOLDER", str(folder)).replace("SINK", "out"))
    plait = Path(sys.executable).parent / "plait"
    command = f"ulimit -n 24; exec '{plait}' backfill out.yaml --all --batch 1 --workers 10"
    ended = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert re.search(
        r"error\[no-process\]: process [0-9] of 10 cannot start: Too many open files\n"
        r"  = help: take fewer `--workers`",
        ended.stderr,
    )
