"""Byte-code is made by a Python of the target's version that runs here, or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from plait.deploy.archive import add_byte_code
from plait.deploy.requirements import Target, running_target


@pytest.mark.parametrize("script", ["exit 127", "echo 3.11", "/bin/cat >/dev/null"])
def test_a_python_that_does_not_run_or_is_another_compiles_nothing(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version managers have shims for versions that are not installed."""
    other = "3.12" if running_target().python != "3.12" else "3.13"
    shim = tmp_path / "bin" / f"python{other}"
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\n{script}\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    (tmp_path / "module.py").write_text("A = 1\n")
    assert add_byte_code(tmp_path, Target(other, "x86_64"), "/var/task") is False
    assert not (tmp_path / "__pycache__").exists()


def test_the_running_python_compiles_for_itself(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("A = 1\n")
    (tmp_path / "broken.py").write_text("print 'of another age'\n")
    assert add_byte_code(tmp_path, running_target(), "/var/task") is True
    tag = sys.implementation.cache_tag
    assert [file.name for file in (tmp_path / "__pycache__").iterdir()] == [f"module.{tag}.pyc"]
