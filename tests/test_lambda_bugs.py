"""A bug within the function is told to its caller without a word of what it was at work on."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from plait.aws_lambda import handler
from plait.errors import Unexpected

SPEC = """
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: in/*.json
    columns: {id: string}
sink: {connector: parquet, path: lake/}
"""


class Broken:
    """A context that breaks where it is asked for the time."""

    def get_remaining_time_in_millis(self) -> int:
        raise LookupError("a value of an order")


def test_a_bug_is_told_by_its_kind_and_place_and_never_by_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orders.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAIT_SPEC", "orders.yaml")
    monkeypatch.setattr("plait.aws_lambda._engines", dict[str, Any]())
    with pytest.raises(Unexpected, match=r"^a bug of plait or of a connector: LookupError; ") as raised:
        handler({"objects": ["in/1.json"]}, Broken())
    told = "".join(traceback.format_exception(raised.value))
    assert "test_lambda_bugs.py" in told
    assert "a value of an order" not in told.replace('LookupError("a value of an order")', "")
