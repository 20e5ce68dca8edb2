"""A new project installs plait from where its user says, and never from a public index; `init.yaml` has what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.console import Call
from plait import __version__

REQUIREMENTS = "pipelines/requirements.txt"
WHEEL = f"plait-{__version__}-py3-none-any.whl"
URL = f"https://wheels.example.com/{WHEEL}"
REVISION = "git+ssh://git@example.com/plait.git@v1"
INDEX = "https://example.com/simple"


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
    shell = ["bash", "-e", "-c", command]
    return subprocess.run(shell, cwd=project, env=environment, capture_output=True, text=True, check=False)


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
    ("option", "text", "arguments"),
    [
        ("--plait", URL, [f"plait @ {URL}"]),
        ("--plait", f"plait @ {URL}#sha256=00", [f"plait @ {URL}#sha256=00"]),
        ("--plait", REVISION, [f"plait @ {REVISION}"]),
        ("--index-url", INDEX, [f"--index-url={INDEX}", f"plait=={__version__}"]),
    ],
)
def test_the_hook_and_the_workflow_install_the_same(
    option: str, text: str, arguments: list[str], plait: Call, tmp_path: Path
) -> None:
    assert plait("init", tmp_path / "shop", option, text).exit_code == 0
    lines = (tmp_path / "shop" / REQUIREMENTS).read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == arguments
    installed = [(hook["language"], hook["additional_dependencies"]) for hook in hooks(tmp_path / "shop")]
    assert installed == [("python", arguments)] * 2


def test_a_wheel_elsewhere_on_this_machine_is_taken_with_a_warning(plait: Call, tmp_path: Path) -> None:
    wheel = tmp_path / WHEEL
    wheel.write_bytes(b"")
    result = plait("init", tmp_path / "shop", "--plait", wheel)
    assert result.exit_code == 0
    assert "warning: the project's files name a path of this machine" in result.stderr
    assert f"plait @ {wheel.as_uri()}\n" in (tmp_path / "shop" / REQUIREMENTS).read_text()
