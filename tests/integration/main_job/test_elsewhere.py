"""The same spec elsewhere: on folders, and in an environment that has only what plait itself needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kit.oracle import oracle, oracle_lake
from kit.paths import ROOT
from kit.shop import HANDLE, queue
from kit.watch.confinement import HOME
from plait_sandbox import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from kit.shop import Shop

NEVER_IN_LAMBDA = ("jsonschema", "click", "rich")
EXTRAS = ("pandas", "numpy", "awswrangler", "moto")


def test_the_same_spec_runs_on_folders(shop: Shop, tmp_path: Path) -> None:
    """Orders and items are read from a folder and rows are written to one; the other strands stay services."""
    write(shop.sample, tmp_path / "sample")
    folders = ("--param", f"raw={tmp_path}/sample", "--param", f"lake={tmp_path}/out")
    before = shop.proxy.calls.copy()
    ended = shop.command("unused", "run", "pipelines/transactions.yaml", *folders, "--all", "-o", "json")
    calls = shop.proxy.calls - before
    assert ended.returncode == 0, ended.stderr
    expected = oracle.expect(shop.sample)
    assert oracle_lake.compare(expected, oracle_lake.read_lake(tmp_path / "out" / "extracted")) == []
    assert not [name for name in calls if name.startswith("s3:")]
    records = [json.loads(file.read_text()) for file in (tmp_path / "out" / "quarantine").rglob("*.json")]
    assert {Path(record["object"]).relative_to(tmp_path / "sample").as_posix() for record in records} == set(
        expected.quarantined
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Python in an environment made from the lock without extras and without our development tools."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    uv = shutil.which("uv") or next(map(str, (ROOT / ".tools").glob("uv-*/bin/uv")))
    command = [uv, "sync", "--quiet", "--frozen", "--no-dev", "--no-editable"]
    plain = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    # uv has its cache, its settings and its Pythons in the home of the user.
    environment = {**plain, "HOME": str(HOME), "UV_PROJECT_ENVIRONMENT": str(folder)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)

    def python(code: str, **options: object) -> subprocess.CompletedProcess[str]:
        command = [str(folder / "bin" / "python"), "-P", "-c", code]
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            command, capture_output=True, text=True, check=True, cwd=folder, **options
        )

    return python


@pytest.mark.parametrize("name", EXTRAS)
def test_an_environment_without_extras_has_no_pandas(
    bare: Callable[..., subprocess.CompletedProcess[str]], name: str
) -> None:
    """What only extras need is not installed, so that nothing of the next test can have used it."""
    code = f"import importlib.util as u; print(u.find_spec({name!r}))"
    assert bare(code).stdout.strip() == "None"


def test_the_handler_loads_nothing_that_only_a_terminal_needs(
    bare: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Importing the handler leaves jsonschema, click and rich where they are."""
    code = "import sys, plait.aws_lambda.function; print(*sys.modules, sep='\\n')"
    loaded = {name.partition(".")[0] for name in bare(code).stdout.splitlines()}
    assert not loaded.intersection(NEVER_IN_LAMBDA)


def test_the_whole_handler_path_runs_without_extras(
    bare: Callable[..., subprocess.CompletedProcess[str]], shop: Shop
) -> None:
    """All orders of the sample through the handler: the lake is the oracle's, and nothing else was loaded."""
    code = f"{HANDLE}\nprint('LOADED', *sys.modules)"
    events = json.dumps(queue(shop.keys())) + "\n"
    ended = bare(code, input=events, env=shop.environment("bare"))
    loaded = {name.partition(".")[0] for name in ended.stdout.splitlines()[-1].split()}
    assert {"pyarrow", "obstore", "pymysql"} <= loaded
    assert not loaded.intersection((*NEVER_IN_LAMBDA, *EXTRAS))
    assert oracle_lake.compare(oracle.expect(shop.sample), oracle_lake.read_files(shop.lake("bare"))) == []
