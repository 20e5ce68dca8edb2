"""Lambda on this machine: awslambdaric as it runs on AWS, against a Runtime API of our own."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

from kit.watch.canaries import look

MEASURED = "COVERAGE_PROCESS_CONFIG" in os.environ
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:plait"
END = object()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: with an answer, an error of the function, at its time limit, or with its process."""

    kind: Literal["answered", "failed", "timed out", "died"]
    answer: Any = None
    error: Mapping[str, Any] | None = None
    exitcode: int | None = None
    log: str = ""


class Function:
    """One sandbox of a function: started by the first invocation, warm afterwards, anew after its process ended."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        handler: str = "plait.aws_lambda.handler",
        timeout: float = 60.0,
        python: str = sys.executable,
        cwd: str | None = None,
    ) -> None:
        self.environment, self.handler, self.timeout = dict(environment), handler, timeout
        self.python, self.cwd = python, cwd
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._api: _Api | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `__exit__`

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()

    def invoke(self, event: Any, *, timeout: float | None = None) -> Outcome:
        """Call the function and wait; a process that does not answer within `timeout` seconds is killed."""
        if self.process is None or self.process.poll() is not None:
            self._start()
        assert self._api is not None
        limit = self.timeout if timeout is None else timeout
        begin = self._log.seek(0, 2)
        self._api.events.put((event, time.time() + limit))
        outcome = self._wait(time.monotonic() + limit)
        if outcome.kind in ("timed out", "died"):
            self.stop()
        self._log.seek(begin)
        log = self._log.read().decode("utf-8", "replace")
        look("what the function said", log, outcome.answer, outcome.error)
        return Outcome(outcome.kind, outcome.answer, outcome.error, outcome.exitcode, log)

    def stop(self) -> None:
        """End the process at once, as AWS ends a sandbox."""
        if self._api is not None:
            self._api.close()
        if self.process is not None:
            if MEASURED:
                _let_tell(self.process)
            self.process.kill()
            self.process.wait()
        self.process = self._api = None

    def _start(self) -> None:
        self.stop()
        self._api = _Api()
        self.starts += 1
        environment = {
            "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
            **self.environment,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "plait",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
        }
        self.process = subprocess.Popen(
            [self.python, "-P", "-m", "awslambdaric", self.handler],
            env=environment,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    def _wait(self, deadline: float) -> Outcome:
        assert self._api is not None
        assert self.process is not None
        while time.monotonic() < deadline:
            try:
                return self._api.outcomes.get(timeout=0.02)
            except queue.Empty:
                if self.process.poll() is not None and self._api.outcomes.empty():
                    return Outcome("died", exitcode=self.process.returncode)
        return Outcome("timed out")


def _let_tell(process: subprocess.Popen[bytes]) -> None:
    """A killed process loses the lines that it ran; one that is asked to end writes them first."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)


class _Api:
    """The Runtime API of one process: hands out events one by one, takes their outcomes."""

    def __init__(self) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Exchange)
        self._server.daemon_threads = True
        self._server.api = self  # type: ignore[attr-defined]
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.events.put(END)
        self._server.shutdown()
        self._server.server_close()


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def api(self) -> _Api:
        api: _Api = self.server.api  # type: ignore[attr-defined]
        return api

    def handle(self) -> None:
        """A process that is killed may reset its connection."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        waiting = self.api.events.get()
        if waiting is END:
            self.close_connection = True
            return
        event, deadline = waiting
        headers = {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=0;Sampled=0",
            "Content-Type": "application/json",
        }
        self._answer(200, json.dumps(event).encode(), headers)

    def do_POST(self) -> None:
        body = self._body()
        document = json.loads(body) if body else None
        if self.path.endswith("/response"):
            self.api.outcomes.put(Outcome("answered", answer=document))
        else:
            self.api.outcomes.put(Outcome("failed", error=document))
        self._answer(202, b'{"status": "OK"}', {})

    def log_message(self, format: str, *args: Any) -> None:
        """Keep silent."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
