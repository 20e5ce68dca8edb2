"""Clients of AWS made once and counted, and what their errors mean."""

from __future__ import annotations

import logging
import re
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSING = {
    "ConditionalRequestConflict",
    "ExpiredToken",
    "InternalError",
    "OperationAborted",
    "ProvisionedThroughputExceededException",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}
UNREACHED = {"ConnectionError", "GenericError", "JoinError", "HTTPClientError", "OSError"}
IAM_PREFIX = {"monitoring": "cloudwatch"}


def reason(error: BaseException) -> tuple[str, int]:
    """The service's error code and HTTP status, `("", 0)` where no answer came."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return ("" if code.isdigit() else code), status
    if "redirect without LOCATION" in str(error):
        return "PermanentRedirect", 301
    answer = str(error).partition("Server returned")[2]
    found = re.search(r"<Code>([\w.]+)</Code>", answer)
    number = re.search(r"status code: (\d+)", answer)
    return (found[1] if found else ""), (int(number[1]) if number else 0)


def passing(error: BaseException) -> bool:
    """Whether the same call may succeed later."""
    code, status = reason(error)
    if code in PASSING or status >= 500 or status in (408, 409, 429):
        return True
    return not status and any(c.__name__ in UNREACHED for c in type(error).__mro__)


secret_underway: ContextVar[bool] = ContextVar("secret_underway", default=False)


def _may_be_seen(_record: logging.LogRecord) -> bool:
    return not secret_underway.get()


@contextmanager
def unlogged() -> Iterator[None]:
    """Within, botocore does not log what a service answers: at DEBUG it logs every body, secrets too."""
    logging.getLogger("botocore.parsers").addFilter(_may_be_seen)
    token = secret_underway.set(True)
    try:
        yield
    finally:
        secret_underway.reset(token)


class Clients:
    """One session, one client per service; `count` is told every HTTP attempt."""

    def __init__(self, count: Callable[[str, int], None]) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._session: Any = None
        self._made: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """The client of a service."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> Any:
        from botocore.config import Config

        from plait.aws_session import open_session

        self._session = self._session or open_session()
        config = Config(
            connect_timeout=10,
            read_timeout=30,
            max_pool_connections=64,
            retries={"mode": "standard", "total_max_attempts": 5},
        )
        client = self._session.create_client(service, config=config)
        signing = client.meta.service_model.signing_name
        prefix = IAM_PREFIX.get(signing, signing)

        def sent(event_name: str, **_: Any) -> None:
            self._count(f"{prefix}:{event_name.rsplit('.', 1)[-1]}", 1)

        client.meta.events.register("before-send", sent)
        return client
