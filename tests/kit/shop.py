"""The shop's sandbox as tests use it: fill it, run the pipeline in a process of its own, read the lake."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import multiprocessing
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.locked import locked
from kit.paths import ROOT
from kit.servers.buckets import contents
from kit.specs import edited
from kit.watch.canaries import look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from multiprocessing.connection import Connection

    from kit.network.proxy import Proxy
    from plait_sandbox.sample_data import Sample
    from plait_sandbox.sandbox import Sandbox

SPEC = ROOT / "pipelines" / "transactions.yaml"


def edited_spec(folder: Path, edits: Mapping[str, str]) -> Path:
    """Write the main job's spec into a folder, with some of its texts replaced."""
    spec = folder / SPEC.name
    spec.write_text(edited(SPEC.read_text("utf-8"), edits), encoding="utf-8")
    return spec


HANDLE = """
import json, sys
from plait.aws_lambda import handler
for line in sys.stdin:
    print("ANSWER " + json.dumps(handler(json.loads(line))), flush=True)
"""

# Starting a process takes a second of imports; one that has done them and nothing else is forked at once.
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(
    [
        "plait.aws_lambda.function",
        "plait_connectors",
        "boto3",
        "obstore",
        "pandas",
        "pyarrow.parquet",
        "pymysql",
    ]
)


@dataclass
class HandlerRun:
    """What became of a process: the answers of the handler or what it raised, its reports, its exit code."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    exitcode: int | None = None


def forked(
    environment: Mapping[str, str],
    events: Sequence[Any],
    started: Callable[[int], object] = lambda _pid: None,
) -> HandlerRun:
    """Give events to the handler in a forked process of their own; `started` gets its pid before the first."""
    here, there = FORK.Pipe()
    process = FORK.Process(target=_serve, args=(dict(environment), there), daemon=True)
    process.start()
    there.close()
    assert process.pid is not None
    started(process.pid)
    handled = HandlerRun()
    with here, contextlib.suppress(EOFError, ConnectionError):
        here.send(events)
        while True:
            answer, log = here.recv()
            look("what a forked function said", answer, log)
            handled.answers.append(answer)
            lines = [json.loads(line) for line in log.splitlines()]
            handled.reports += [line for line in lines if line["message"] == "report"]
    process.join(60)
    handled.exitcode = process.exitcode
    return handled


def _serve(environment: dict[str, str], caller: Connection) -> None:
    from plait.aws_lambda.logs import log_as_json

    os.environ.clear()
    os.environ.update(environment)
    for event in caller.recv():
        with contextlib.redirect_stdout(io.StringIO()) as logged:
            logging.basicConfig(level=logging.DEBUG, stream=logged, force=True)
            log_as_json()
            answer = _handled(event)
        caller.send((answer, logged.getvalue()))


def _handled(event: Any) -> dict[str, Any]:
    from plait.aws_lambda import handler
    from plait.plugin import PlaitError

    try:
        return handler(event)
    except PlaitError as error:
        return {"raised": type(error).__name__, "message": str(error)}


@dataclass
class Shop:
    """A filled sandbox; plait finds AWS behind the proxy."""

    sandbox: Sandbox
    sample: Sample
    proxy: Proxy
    client: Any = field(repr=False)

    def environment(self, lake: str) -> dict[str, str]:
        """The environment of a process that writes below `s3://shop-lake/<lake>`."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return {
            **plain,
            **self.sandbox.environment(),
            "AWS_ENDPOINT_URL": self.proxy.endpoint,
            "LAKE": f"s3://shop-lake/{lake}",
            "PLAIT_ENV_ALLOW": "RAW,LAKE",
            "PLAIT_SPEC": locked(SPEC),
        }

    def invoke(
        self, lake: str, events: Iterable[Any]
    ) -> tuple[int, list[dict[str, Any]], list[dict[str, Any]]]:
        """Give events to the handler in one process; its exit code, answers and reports."""
        done = subprocess.run(
            [sys.executable, "-P", "-c", HANDLE],
            input="".join(json.dumps(event) + "\n" for event in events),
            env=self.environment(lake),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        lines = done.stdout.splitlines()
        answers = [json.loads(line.removeprefix("ANSWER ")) for line in lines if line.startswith("ANSWER ")]
        logged = [json.loads(line) for line in lines if line.startswith("{")]
        assert done.returncode <= 0, done.stderr[-3000:]
        return done.returncode, answers, [line for line in logged if line["message"] == "report"]

    def fork(self, lake: str, events: Sequence[Any], **environment: str) -> HandlerRun:
        """Give events to the handler in one forked process, which starts faster than that of `invoke`."""
        handled = forked({**self.environment(lake), **environment}, events)
        assert handled.exitcode == 0
        return handled

    def command(self, lake: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `plait` with these arguments."""
        return subprocess.run(
            [str(Path(sys.executable).parent / "plait"), *arguments],
            env=self.environment(lake),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def lake(self, lake: str, kind: str = "extracted") -> dict[str, bytes]:
        """The files below a lake's folder of a kind, by their key within it."""
        return self.below(f"{lake}/{kind}/transactions/")

    def below(self, prefix: str) -> dict[str, bytes]:
        """All objects of the lake's bucket below a prefix, by the rest of their key."""
        objects = contents(self.client, "shop-lake", prefix)
        return {key.removeprefix(prefix): body for key, body in objects.items()}

    def put(self, key: str, body: bytes | str) -> None:
        """Put an object into the bucket that pipelines read."""
        self.client.put_object(Bucket="shop-raw", Key=key, Body=body)

    def put_order(self, prefix: str, name: str, **fields: Any) -> str:
        """Put an order of 2 July below a prefix; its key."""
        order = {"transaction_id": name, "ordered_at": "2026-07-02T10:00:00Z", "total": 3, **fields}
        key = f"{prefix}/transactions/{name}.json"
        self.client.put_object(Bucket="shop-raw", Key=key, Body=json.dumps(order).encode())
        return key

    def keys(self) -> list[str]:
        """The keys of all objects below `transactions/`."""
        return sorted(key for key in self.sample.objects if key.startswith("transactions/"))


def announced(key: str) -> dict[str, Any]:
    """The EventBridge event of a new object."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "shop-raw"}, "object": {"key": key}},
    }


def queue(keys: Sequence[str]) -> dict[str, Any]:
    """A batch of queue messages, one for each key; the message's id is its place."""
    return {
        "Records": [
            {"messageId": str(n), "eventSource": "aws:sqs", "body": json.dumps(announced(key))}
            for n, key in enumerate(keys)
        ]
    }


def batches(keys: Sequence[str], size: int) -> list[dict[str, Any]]:
    """The keys as queue batches of a size."""
    return [queue(keys[n : n + size]) for n in range(0, len(keys), size)]
