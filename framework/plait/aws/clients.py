"""Clients of AWS made once and counted, that wait no longer than there is time."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from plait.aws.environment import check_settings, region
from plait.aws.errors import SETTINGS, UnreadableAnswer, calling
from plait.aws.retries import TRIES, RetryPolicy
from plait.problems.errors import GiveUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IAM_PREFIX = {"monitoring": "cloudwatch"}
BODIES = ("boto3", "botocore")


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


def hold_bodies() -> None:
    """Keep boto3 and botocore at INFO, since their DEBUG logs contain request bodies, unless they have a level."""
    for name in BODIES:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))


class Clients:
    """One session, one client per service; `count` is told every HTTP attempt, `timeout` tells how long it may take."""

    def __init__(
        self,
        count: Callable[[str, int], None],
        timeout: Callable[[], float] | None = None,
        patience: RetryPolicy | None = None,
    ) -> None:
        self._count = count
        self._patience = patience or RetryPolicy.given()
        self._timeout = timeout or (lambda: self._patience.timeout)
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

        from plait.aws.session import open_session

        hold_bodies()
        self._session = self._session or open_session()
        config = Config(
            connect_timeout=self._patience.connect,
            read_timeout=self._patience.timeout,
            max_pool_connections=64,
            retries={"mode": "standard", "total_max_attempts": TRIES},
        )
        client = self._create(service, config)
        signing = client.meta.service_model.signing_name
        prefix = IAM_PREFIX.get(signing, signing)

        def sent(event_name: str, request: Any, **_: Any) -> None:
            self._count(f"{prefix}:{event_name.rsplit('.', 1)[-1]}", 1)
            if context := getattr(request, "context", None):
                context["read_timeout"] = self._timeout()

        client.meta.events.register("before-send", sent)
        self._retry(client)
        return client

    def _create(self, service: str, config: Any) -> Any:
        check_settings()
        with calling(f"the client of `{service}`", service=service):
            try:
                return self._session.create_client(service, region_name=region(), config=config)
            except (
                ValueError
            ) as error:  # an `endpoint_url` of AWS's own configuration, which names no variable
                help = "check what its configuration sets, such as `endpoint_url` of the profile"
                raise GiveUp(
                    f"the settings of `{service}` are wrong", code=SETTINGS.code, help=help
                ) from error

    def _retry(self, client: Any) -> None:
        """Let botocore decide on retries, of answers too that are not whole; its pauses have no setting of their own."""
        from botocore.retries.standard import register_retry_handler

        service = client.meta.service_model.service_id.hyphenize()
        event, name = f"needs-retry.{service}", f"retry-config-{service}"
        client.meta.events.unregister(event, unique_id=name)
        decides = register_retry_handler(client, max_attempts=TRIES)
        client.meta.events.unregister(event, unique_id=name)

        def pause(attempts: int, operation: Any, response: Any = None, **rest: Any) -> float | None:
            seconds = decides.needs_retry(attempts=attempts, operation=operation, response=response, **rest)
            if seconds is not None:
                return min(seconds * self._patience.backoff, self._timeout())
            if not response or whole(operation, *response):
                return None
            if attempts >= TRIES:
                raise UnreadableAnswer
            return min(self._patience.pause(attempts), self._timeout())

        client.meta.events.register(event, pause)


def whole(operation: Any, answer: Any, parsed: dict[str, Any]) -> bool:
    """Whether an answer is the service's and all of it: boto3 takes what it cannot read for an answer of nothing."""
    if answer.status_code >= 300 or operation.has_streaming_output or operation.http.get("method") == "HEAD":
        return True
    length = answer.headers.get("content-length", "")
    if length.isdigit() and int(length) != len(answer.content):
        return False
    said = answer.content.strip() not in (b"", b"{}") and operation.output_shape
    return not said or parsed.keys() > {"ResponseMetadata"}
