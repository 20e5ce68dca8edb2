"""`plait validate` beside its cases: what needs files and numbers too large for data, and what it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.console import SPEC, Call
from kit.paths import ROOT

SCRIPT = """
import json, sys
before = set(sys.modules)
from plait.cli.main import main
main(["validate", sys.argv[1]], standalone_mode=False)
print(json.dumps(sorted(set(sys.modules) - before)))
"""
MOST, OURS = 323, 80
NEVER = """
    asyncio boto3 botocore concurrent ctypes difflib http logging mmh3 multiprocessing obstore pandas pyarrow
    pymysql rich sqlite3 ssl subprocess xml zoneinfo plait.testing plait.engine.context plait.engine.engine plait.storage.objects
"""


def test_what_github_would_not_mark_goes_to_the_summary_of_the_job(
    plait: Call, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten errors of a step are marked; the others stand in the file that GitHub names, else in the log."""
    keys = "".join(f"unknown{n:02}: 1\n" for n in range(12))
    (project / "orders.yaml").write_text(SPEC + keys)
    logged = plait("validate", project / "orders.yaml", "-o", "github").stdout
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    ended = plait("validate", project / "orders.yaml", "-o", "github")
    table = (project / "summary.md").read_text(encoding="utf-8")
    assert (ended.exit_code, ended.stdout.count("::error "), len(ended.stdout.splitlines())) == (1, 10, 10)
    assert table.count("| error | `unknown-key` |") == 2
    assert logged == ended.stdout + table


def test_a_huge_file_is_refused_without_reading_it_whole(plait: Call, tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(1 << 40)
    ended = plait("validate", tmp_path / "huge.yaml")
    assert (ended.exit_code, "error[too-large]" in ended.stdout) == (1, True)


def test_validate_loads_few_modules_and_none_that_only_a_run_needs(figure: Callable[[str], None]) -> None:
    """`email` comes with importlib.metadata, by which connectors are found; `jsonschema` brings about 70 modules."""
    command = [sys.executable, "-P", "-c", SCRIPT, str(ROOT / "pipelines" / "transactions.yaml")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    folders = {name.rpartition(".")[0] for name in loaded}
    ours = [name for name in loaded if name.startswith("plait") and name not in folders]
    figure(f"plait validate loads {len(loaded)} modules, {len(ours)} of them ours")
    names = {name.partition(".")[0] for name in loaded} | set(loaded)
    assert sorted(names & set(NEVER.split())) == []
    assert len(loaded) <= MOST
    assert len(ours) <= OURS
