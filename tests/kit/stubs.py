"""A small real Context, and the servers that connectors are tried on."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from plait.plugin import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plait.plugin import Objects


class Stub:
    """A Context whose clients talk to one endpoint and whose secrets are given."""

    def __init__(
        self,
        *,
        endpoint: str = "http://127.0.0.1:9",
        fields: tuple[str, ...] | None = None,
        secrets: Mapping[str, Mapping[str, Any]] | None = None,
        fresh: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.source, self.fields, self.log = "stub", fields, logging.getLogger("stub")
        self.calls: Counter[str] = Counter()
        self.secrets, self.fresh = secrets or {}, fresh or {}
        self.seconds = 30.0
        self._endpoint, self._clients = endpoint, dict[str, Any]()

    @property
    def objects(self) -> Objects:
        """No connector of these tests reads objects."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    def client(self, service: str) -> Any:
        """A boto3 client with few retries, its calls counted."""
        if service not in self._clients:
            client = boto3.client(  # type: ignore[call-overload]
                service,
                endpoint_url=self._endpoint,
                region_name="eu-west-1",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                config=Config(retries={"total_max_attempts": 2, "mode": "standard"}, connect_timeout=2),
            )
            client.meta.events.register("before-call", self._called)
            self._clients[service] = client
        return self._clients[service]

    def _called(self, model: Any, **_rest: Any) -> None:
        self.count(f"{model.service_model.service_name}:{model.name}")

    def secret(self, name: str, *, fresh: bool = False) -> Secrets:
        """The secret as it was known first, or as it is now."""
        self.count("secret:fresh" if fresh else "secret")
        return Secrets((self.fresh if fresh and name in self.fresh else self.secrets)[name])

    def timeout(self) -> float:
        """As long as a test says."""
        return self.seconds

    def pause(self, attempt: int) -> None:
        """Do not wait, but count that it was asked for."""
        self.count("pause")

    def count(self, operation: str, calls: int = 1) -> None:
        """Count calls."""
        self.calls[operation] += calls


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Return once the process listens on the port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start on port {port}")


@contextmanager
def serving(command: list[str], port: int) -> Iterator[None]:
    """A server process, stopped in the end."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()


@contextmanager
def aws() -> Iterator[str]:
    """A moto server; yields its endpoint."""
    port = free_port()
    with serving([sys.executable, "-P", "-m", "moto.server", "-p", str(port)], port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def mariadb(folder: Path) -> Iterator[int]:
    """A private MariaDB server whose user `root` has no password; yields its port."""
    port, user = free_port(), f"--user={'root' if os.geteuid() == 0 else os.environ.get('USER', 'nobody')}"
    data = f"--datadir={folder / 'data'}"
    install = ["mariadb-install-db", "--no-defaults", user, data, "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db"], check=True, capture_output=True)
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}", "--sql-mode="]
    with serving(["mariadbd", "--no-defaults", user, data, *options], port):
        yield port
