"""The stand-ins for Lambda, its queue and a bad network do what AWS and networks do."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.function.delivery import Queue, deliver
from kit.function.runtime import Function, Outcome
from kit.network.tcp import TcpProxy, Weather, serving

HANDLER = """
import os, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("called", calls)
    match event["do"]:
        case "sleep": time.sleep(60)
        case "exit": os._exit(3)
        case "raise": raise ValueError("no")
    return {"calls": calls, "left": context.get_remaining_time_in_millis() > 0, "pid": os.getpid()}
"""


@pytest.fixture
def function(tmp_path: Path) -> Any:
    (tmp_path / "example.py").write_text(HANDLER)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with Function(environment, handler="example.handler", timeout=20) as started:
        yield started


def test_a_warm_function_keeps_its_process_and_what_it_holds(function: Function) -> None:
    first, second = function.invoke({"do": "answer"}), function.invoke({"do": "answer"})
    assert (first.answer["calls"], second.answer["calls"]) == (1, 2)
    assert first.answer["pid"] == second.answer["pid"]
    assert first.answer["left"]
    assert "called 2" in second.log
    assert "called 1" not in second.log


def test_what_a_function_raises_is_told_and_the_process_stays(function: Function) -> None:
    failed = function.invoke({"do": "raise"})
    assert failed.kind == "failed"
    assert failed.error is not None
    assert failed.error["errorType"] == "ValueError"
    assert function.invoke({"do": "answer"}).answer["calls"] == 2


def test_a_process_that_ends_is_noticed_and_the_next_invocation_starts_another(function: Function) -> None:
    died = function.invoke({"do": "exit"})
    assert (died.kind, died.exitcode) == ("died", 3)
    assert function.invoke({"do": "answer"}).answer["calls"] == 1
    assert function.starts == 2


def test_at_its_time_limit_a_function_is_killed(function: Function) -> None:
    assert function.invoke({"do": "sleep"}, timeout=1.0).kind == "timed out"
    assert function.invoke({"do": "answer"}).answer["calls"] == 1


def test_a_message_that_fails_comes_again_alone_and_ends_as_a_dead_letter() -> None:
    """It is handed out as often as the queue allows, each time after the visibility timeout."""
    queue = Queue(visibility=100, max_receives=3, batch=2)
    queue.send("good", "bad", "good")
    seen: list[list[str]] = []

    def invoke(event: Any) -> Outcome:
        records = event["Records"]
        seen.append([record["body"] for record in records])
        failures = [{"itemIdentifier": r["messageId"]} for r in records if r["body"] == "bad"]
        return Outcome("answered", answer={"batchItemFailures": failures})

    queue.drain(invoke)
    assert seen == [["good", "bad"], ["good"], ["bad"], ["bad"]]
    assert [message.body for message in queue.dead] == ["bad"]
    assert queue.now == 300


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("failed"),
        Outcome("timed out"),
        Outcome("answered", answer={"batchItemFailures": [{"itemIdentifier": ""}]}),
    ],
)
def test_a_batch_comes_again_whole_where_the_function_did_not_say_which(outcome: Outcome) -> None:
    queue = Queue(max_receives=2)
    queue.send("a", "b")
    assert len(queue.drain(lambda _event: outcome)) == 2
    assert Counter(message.body for message in queue.dead) == {"a": 1, "b": 1}


def test_an_asynchronous_event_is_tried_three_times() -> None:
    assert len(deliver(lambda _event: Outcome("failed"), {})) == 3
    assert len(deliver(lambda _event: Outcome("answered"), {})) == 1


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back what it gets, twice."""

    def repeat(connection: socket.socket) -> None:
        while data := connection.recv(1024):
            connection.sendall(data * 2)

    with serving(repeat) as port:
        yield "127.0.0.1", port


def _ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.settimeout(0.5)
        connection.sendall(b"hello")
        received = b""
        while len(received) < 10 and (data := connection.recv(1024)):
            received += data
        return received


def test_a_calm_connection_passes_everything(echo: tuple[str, int]) -> None:
    with TcpProxy(echo) as proxy:
        assert _ask(proxy.port) == b"hellohello"
        assert proxy.connections == 1


@pytest.mark.parametrize(
    ("weather", "error"),
    [
        (Weather(refuse=True), ConnectionResetError),
        (Weather(cut_after=3), ConnectionResetError),
        (Weather(stall_after=3), TimeoutError),
    ],
)
def test_a_storm_spoils_one_connection(
    echo: tuple[str, int], weather: Weather, error: type[Exception]
) -> None:
    with TcpProxy(echo) as proxy:
        proxy.storm(weather)
        with pytest.raises(error):
            _ask(proxy.port)
        assert _ask(proxy.port) == b"hellohello"
