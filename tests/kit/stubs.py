"""A small real Context, on which connectors are tried."""

from __future__ import annotations

import logging
import socket
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from plait.plugin import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        self.body_fields: tuple[str, ...] = ()
        self.calls: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        self.unread_line = ""
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

    def count_lines(self, read: int, unread: int, sample: str) -> None:
        """Count lines, and keep one that was no record."""
        self.lines.update(read=read, unread=unread)
        self.unread_line = sample or self.unread_line

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
