"""A bug within the function is reported to its caller without any value of a record."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from kit.locked import lock
from plait.aws_lambda import handler
from plait.plugin import GiveUp
from plait.problems.errors import InternalError

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


class BrokenContext:
    """A context that raises when it is asked for the time."""

    def get_remaining_time_in_millis(self) -> int:
        raise LookupError("a value of an order")


class MinuteContext:
    """A context that has a minute left."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function of a spec, in a folder with one order."""
    (tmp_path / "orders.yaml").write_text(SPEC)
    lock(tmp_path / "orders.yaml")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.json").write_text('{"id": "1"}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAIT_SPEC", "orders.yaml")
    monkeypatch.setattr("plait.aws_lambda.function._engines", dict[str, Any]())


@pytest.mark.parametrize("context", [None, MinuteContext()], ids=["without a context", "with time left"])
@pytest.mark.parametrize("error", [LookupError, MemoryError, GiveUp, KeyboardInterrupt])
def test_what_ends_a_run_ends_the_invocation(
    function: None, monkeypatch: pytest.MonkeyPatch, context: Any, error: type[BaseException]
) -> None:
    """No message is acknowledged, with or without a context that knows the time."""

    def broken(*_: object, **__: object) -> None:
        raise error("a value of an order")

    monkeypatch.setattr("plait.engine.engine.Engine.run", broken)
    event = {"Records": [{"messageId": "1", "body": '{"objects": ["in/1.json"]}', "eventSource": "aws:sqs"}]}
    for call in (event, {"objects": ["in/1.json"]}):
        with pytest.raises((InternalError, GiveUp, KeyboardInterrupt)):
            handler(call, context)


def test_a_bug_is_reported_by_its_type_and_place_and_never_by_its_text(
    function: None,
) -> None:
    with pytest.raises(InternalError, match=r"^a bug of plait or of a connector: LookupError; ") as raised:
        handler({"objects": ["in/1.json"]}, BrokenContext())
    text = "".join(traceback.format_exception(raised.value))
    assert "test_function_bugs.py" in text
    assert "a value of an order" not in text.replace('LookupError("a value of an order")', "")
