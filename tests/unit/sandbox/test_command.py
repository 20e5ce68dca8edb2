"""`plait sandbox` where its extra is not installed."""

from __future__ import annotations

import importlib.util

import pytest

from kit.console import Call


@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_without_moto_one_problem_says_what_to_install(
    command: str, plait: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    ended = plait(command)
    assert ended.exit_code == 1
    assert ended.stderr == (
        "error[cannot-start]: the sandbox needs moto\n  = help: install plait with its extra `sandbox`\n"
    )
