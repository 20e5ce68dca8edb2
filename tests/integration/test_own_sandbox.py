"""`plait sandbox` for a spec of one's own: a seed fills its sources, a shell uses it, and nothing of it stays."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from kit.console import Call
from kit.paths import ROOT
from kit.run import rows_in
from kit.servers.buckets import contents
from kit.tables import table
from plait.cli.loading import load_given, load_pipeline
from plait_sandbox import start_sandbox
from plait_sandbox.seed import read_contents

if TYPE_CHECKING:
    from plait_sandbox.mysql import Flavour

PAGE = (ROOT / "pipelines/SANDBOX.md").read_text("utf-8")
FILES = re.compile(r"^`(\S+)`\n\n```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
START, PREVIEW, RUN, STOP = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
ROWS = table("sandbox_rows.yaml")
USE = f"""
exec 2>notes
{START}
{PREVIEW}
{RUN} --param lake=first >report
echo "UPDATE sandbox.stores SET city = 'Vigo'" | $(sed -n 's/^MySQL may be written by: //p' notes)
{RUN} --param lake=second >report
first=$PLAIT_SANDBOX
eval "$(plait sandbox shop.yaml --detach)"
test ! -e "$first"
{RUN} --param lake=third >report
{STOP}
test -z "${{AWS_ENDPOINT_URL-}}"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the files of the page."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.findall(PAGE):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a user whose shell finds `plait`, with a folder for temporary files."""
    (tmp_path / "tmp").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TMPDIR": str(tmp_path / "tmp")}


def remains(environment: dict[str, str]) -> list[str]:
    """The temporary files that are left, and the command lines of processes that name their folder."""
    folder = environment["TMPDIR"]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [
        *map(str, Path(folder).iterdir()),
        *(line for line in listed.stdout.splitlines() if folder in line),
    ]


def cells(lake: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a lake in order, without the columns that nothing is said of."""
    return sorted(({name: row[name] for name in ROWS[0]} for row in lake), key=lambda row: row["id"])


@pytest.mark.parametrize("flavour", ["mariadb", "mysql-mimic"])
@pytest.mark.usefixtures("folder")
def test_a_run_reads_what_a_seed_says_that_sources_hold(
    flavour: Flavour, plait: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = load_pipeline("shop.yaml", {}).spec
    needed = read_contents(spec, load_given("seed.yaml", spec))
    with start_sandbox(flavour) as sandbox:
        sandbox.create_buckets(needed)
        sandbox.put(needed)
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        assert plait("run", "shop.yaml", "--all").exit_code == 0
        files = contents(sandbox.client("s3"), "acme-lake", "orders/").values()
        lake = [row for file in files for row in pq.read_table(io.BytesIO(file)).to_pylist()]
    assert cells(lake) == ROWS


def test_what_no_server_can_hold_is_one_error_and_what_no_driver_reads_a_warning(
    folder: Path, environment: dict[str, str]
) -> None:
    """An object of a bucket that the spec does not name is both."""
    (folder / "seed.yaml").write_text(
        "given:\n  orders:\n    - {object: 's3://acme-other/a.json', json: {id: a}}\n"
    )
    ended = subprocess.run(
        ["plait", "sandbox", "shop.yaml", "--seed", "seed.yaml"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "warning[wrong-value]: `s3://acme-other/a.json` does not fit the driving path" in ended.stderr
    assert "error[wrong-value]: the sandbox cannot hold the object `s3://acme-other/a.json`: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert remains(environment) == []


def test_a_shell_starts_it_as_the_page_says_writes_to_it_and_stops_it(
    folder: Path, environment: dict[str, str]
) -> None:
    used = subprocess.run(
        ["sh", "-eu", "-c", USE], env=environment, capture_output=True, text=True, check=False
    )
    assert used.returncode == 0, (folder / "notes").read_text()
    assert [row["id"] for row in json.loads(used.stdout)["rows"]] == ["7f3c", "9b1d"]
    first, second, third = (rows_in(folder / lake) for lake in ("first", "second", "third"))
    assert cells(first) == ROWS
    assert cells(second) == [{**row, "city": "Vigo"} for row in ROWS]
    assert third == []
    assert remains(environment) == []


@pytest.mark.parametrize("options", ["nowhere.yaml --detach", "--seed seed.yaml --detach"])
def test_a_shell_notices_that_it_does_not_start(environment: dict[str, str], options: str) -> None:
    script = f'eval "$(plait sandbox {options})" && echo started'
    used = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (used.returncode, used.stdout) == (1, "")
    assert "error" in used.stderr.lower()


@pytest.mark.parametrize("seconds", [1.5, None])
@pytest.mark.usefixtures("folder")
def test_sigterm_leaves_nothing_of_it(environment: dict[str, str], seconds: float | None) -> None:
    """Sent while the servers start, and when they are ready."""
    command = [str(Path(sys.executable).parent / "plait"), "sandbox", "shop.yaml", "--seed", "seed.yaml"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as sandbox:
        assert sandbox.stdout
        if seconds is None:
            assert b"PLAIT_SANDBOX" in sandbox.stdout.read()
            assert remains(environment) != []
        else:
            time.sleep(seconds)
        sandbox.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 20
    while remains(environment) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert remains(environment) == []
    assert sandbox.returncode in {128 + signal.SIGTERM, -signal.SIGTERM}
