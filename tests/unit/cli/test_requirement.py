"""Where a new project installs plait from: what its user says, and never a public index."""

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

import pytest
import yaml

from kit.bare import link, with_requirements
from kit.console import Call
from kit.paths import ROOT
from plait import __version__

REQUIREMENTS = "pipelines/requirements.txt"
WHEEL = f"plait-{__version__}-py3-none-any.whl"
URL = f"https://wheels.example.com/{WHEEL}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `make wheel` builds, in the folder of an index."""
    folder = tmp_path_factory.mktemp("index") / "plait"
    subprocess.run(
        ["make", "--no-print-directory", "wheel", f"WHEELS={folder}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
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


def steps(project: Path) -> list[str]:
    """The commands of the workflow."""
    workflow = yaml.safe_load((project / ".github/workflows/plait.yml").read_text())
    return [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step]


def hooks(project: Path) -> list[dict[str, Any]]:
    """The hooks that run before a commit."""
    config = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())
    return [hook for repository in config["repos"] for hook in repository["hooks"]]


def run(project: Path, command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command as a step of a workflow is run."""
    return subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


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
        for command in steps(project):
            done = run(project, command, environment)
            assert done.returncode == 0, done.stdout + done.stderr
        shown = run(
            project, "python -c 'import plait; print(plait.__version__, plait.__file__)'", environment
        )
        assert shown.stdout.startswith(f"{__version__} {environment['VIRTUAL_ENV']}/")
    finally:
        run(project, "pip uninstall --yes plait", environment)


def test_where_nothing_was_said_the_workflow_stops_before_it_asks_an_index(
    plait: Call, tmp_path: Path
) -> None:
    result = plait("init", tmp_path / "shop")
    assert f"say in {REQUIREMENTS} where plait is installed from" in result.stdout
    pip = tmp_path / "pip"
    pip.write_text("#!/bin/sh\necho asked\n")
    pip.chmod(0o755)
    done = run(tmp_path / "shop", steps(tmp_path / "shop")[0], {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode == 1
    assert done.stdout == f"::error file={REQUIREMENTS}::say in this file where plait is installed from\n"


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (("--plait", URL), [f"plait @ {URL}"]),
        (("--plait", f"plait @ {URL}#sha256=00"), [f"plait @ {URL}#sha256=00"]),
        (
            ("--plait", "git+ssh://git@example.com/plait.git@v1"),
            ["plait @ git+ssh://git@example.com/plait.git@v1"],
        ),
        (
            ("--index-url", "https://example.com/simple"),
            ["--index-url=https://example.com/simple", f"plait=={__version__}"],
        ),
    ],
)
def test_the_hook_and_the_workflow_install_the_same(
    options: tuple[str, str], arguments: list[str], plait: Call, tmp_path: Path
) -> None:
    assert plait("init", tmp_path / "shop", *options).exit_code == 0
    lines = (tmp_path / "shop" / REQUIREMENTS).read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == arguments
    assert [(hook["language"], hook["additional_dependencies"]) for hook in hooks(tmp_path / "shop")] == [
        ("python", arguments)
    ] * 2


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


def test_a_wheel_elsewhere_on_this_machine_is_taken_with_a_warning(
    plait: Call, wheel: Path, tmp_path: Path
) -> None:
    result = plait("init", tmp_path / "shop", "--plait", wheel)
    assert result.exit_code == 0
    assert "warning: the project's files name a path of this machine" in result.stderr
    assert f"plait @ {wheel.as_uri()}\n" in (tmp_path / "shop" / REQUIREMENTS).read_text()
