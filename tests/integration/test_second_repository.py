"""A second repository installs plait from a wheel, a URL or an index, and its checks run there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from zipfile import ZipFile

import pytest

from kit.console import Call
from kit.function.bare import link, with_requirements
from kit.paths import ROOT
from plait import __version__
from unit.cli.test_requirement import WHEEL, hooks, run, steps


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `make wheel` builds, in the folder of an index."""
    folder = tmp_path_factory.mktemp("index") / "plait"
    make = ["make", "--no-print-directory", "wheel", f"WHEELS={folder}"]
    subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
    return folder / WHEEL


@pytest.fixture(scope="module")
def server(wheel: Path) -> Iterator[str]:
    """The address where the index is served."""
    handler = partial(_Quiet, directory=str(wheel.parents[1]))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep requests to itself."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that has all that plait requires and pip, but no plait."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True, with_pip=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for name in with_requirements(("plait",)):
        if name != "plait":
            link(name, packages)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    return {
        **own,
        "VIRTUAL_ENV": str(folder),
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.mark.parametrize("way", ["path", "url", "index"])
def test_a_second_repository_installs_plait_and_its_checks_pass(
    way: str, plait: Call, wheel: Path, server: str, environment: dict[str, str], tmp_path: Path
) -> None:
    project = tmp_path / "shop"
    (project / "wheels").mkdir(parents=True)
    shutil.copy(wheel, project / "wheels")
    options = {
        "path": ("--plait", project / "wheels" / WHEEL),
        "url": ("--plait", f"{server}/plait/{WHEEL}"),
        "index": ("--index-url", f"{server}/"),
    }[way]
    assert plait("init", project, *options).exit_code == 0
    assert {hook["language"] for hook in hooks(project)} == {"system" if way == "path" else "python"}
    if way != "index":
        environment = {**environment, "PIP_NO_INDEX": "1"}
    try:
        install, *checks = steps(project)
        assert checks[:2] == ["plait validate -o github", "plait test -o github"]
        done = run(project, install, environment)
        assert done.returncode == 0, done.stdout + done.stderr
        for check in checks:
            done = run(project, check, environment)
            assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
        python = "python -c 'import plait; print(plait.__version__, plait.__file__)'"
        shown = run(project, python, environment)
        assert shown.stdout.startswith(f"{__version__} {environment['VIRTUAL_ENV']}/")
    finally:
        run(project, "pip uninstall --yes plait", environment)


def test_the_hook_installs_plait_and_runs_it(
    plait: Call, server: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """Into an environment of pre-commit's; what plait requires is there already, and so is what builds its placeholder."""
    project = tmp_path / "shop"
    assert plait("init", project, "--plait", f"{server}/plait/{WHEEL}").exit_code == 0
    (packages,) = Path(environment["VIRTUAL_ENV"]).glob("lib/python3*/site-packages")
    (tmp_path / "build").mkdir()
    link("setuptools", tmp_path / "build")
    there = {
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "PYTHONPATH": f"{tmp_path / 'build'}:{packages}",
        "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip spells yes
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
    }
    check = f"git init -q && git add -A && {sys.executable} -m pre_commit run --all-files"
    done = run(project, check, {**environment, **there})
    assert (done.returncode, done.stdout.count("Passed")) == (0, 2), done.stdout + done.stderr


def test_the_wheel_has_every_file_that_lies_beside_our_modules(wheel: Path) -> None:
    """The files of a new project, and the data that modules read, such as the sandbox's SQL."""
    folder = ROOT / "framework"
    paths = [path for package in ("plait", "plait_sandbox") for path in (folder / package).rglob("*")]
    files = [path for path in paths if path.is_file() and path.suffix != ".pyc"]
    names = {path.relative_to(folder).as_posix() for path in files}
    assert {"plait/cli/project/_gitignore", "plait_sandbox/words.toml"} < names
    assert names <= {*ZipFile(wheel).namelist()}
