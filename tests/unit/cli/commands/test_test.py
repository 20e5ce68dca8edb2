"""`plait test` over the cases that this repository ships, beside its own cases in `tests/data/commands/test.yaml`."""

from __future__ import annotations

import socket

import pytest

from kit.console import Call
from kit.paths import ROOT

SHIPPED = ROOT / "pipelines"


def test_the_cases_of_the_project_are_found(plait: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SHIPPED.parent)
    ended = plait("test")
    assert ended.exit_code == 0, ended.stdout
    assert "all hold" in ended.stdout


def test_the_shipped_cases_open_no_socket(plait: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    assert plait("test", SHIPPED / "transactions.yaml").exit_code == 0
