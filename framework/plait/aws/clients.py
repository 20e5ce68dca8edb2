"""Clients of AWS: one for each service, whose calls are counted and wait no longer than there is time."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from plait.aws.errors import SETTINGS, UnreadableAnswer, calling, meaning_of_code
from plait.aws.retries import MAX_TRIES, RetryPolicy
from plait.problems.errors import GiveUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IAM_PREFIXES = {"monitoring": "cloudwatch"}  # by the signing name of a service, where the two differ
BODY_LOGGERS = ("boto3", "botocore")

answer_is_secret: ContextVar[bool] = ContextVar("answer_is_secret", default=False)


def _may_be_logged(_record: logging.LogRecord) -> bool:
    return not answer_is_secret.get()


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep botocore from logging what a service answers: at DEBUG it logs every body, those with secrets too."""
    logging.getLogger("botocore.parsers").addFilter(_may_be_logged)
    token = answer_is_secret.set(True)
    try:
        yield
    finally:
        answer_is_secret.reset(token)


def mute_bodies() -> None:
    """Keep boto3 and botocore at INFO, since their DEBUG logs contain request bodies, unless they have a level."""
    for name in BODY_LOGGERS:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))


class Clients:
    """One session, and one client for each service, made when it is first asked for.

    `count` is called with the IAM action and 1 for every HTTP attempt; `timeout` returns how many seconds the next one
    may take.
    """

    def __init__(
        self,
        count: Callable[[str, int], None],
        timeout: Callable[[], float] | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self._count = count
        self._retry_policy = retry_policy or RetryPolicy.from_environment()
        self._timeout = timeout or (lambda: self._retry_policy.timeout)
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """The client of a service; raises GiveUp for wrong settings."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service)
            return self._clients[service]

    def _make_client(self, service: str) -> Any:
        from botocore.config import Config

        from plait.aws.session import open_session

        mute_bodies()
        self._session = self._session or open_session()
        config = Config(
            connect_timeout=self._retry_policy.connect,
            read_timeout=self._retry_policy.timeout,
            max_pool_connections=64,
            retries={"mode": "standard", "total_max_attempts": MAX_TRIES},
        )
        client = self._create_client(service, config)
        signing = client.meta.service_model.signing_name
        prefix = IAM_PREFIXES.get(signing, signing)

        def before_send(event_name: str, request: Any, **_: Any) -> None:
            self._count(f"{prefix}:{event_name.rsplit('.', 1)[-1]}", 1)
            if context := getattr(request, "context", None):
                context["read_timeout"] = self._timeout()

        client.meta.events.register("before-send", before_send)
        self._set_retries(client)
        return client

    def _create_client(self, service: str, config: Any) -> Any:
        from plait.aws.environment import check_settings, region

        check_settings()
        with calling(f"the client of `{service}`", service=service):
            try:
                return self._session.create_client(service, region_name=region(), config=config)
            except ValueError as error:  # an `endpoint_url` in a file of AWS's configuration
                help = "check what its configuration sets, such as `endpoint_url` of the profile"
                raise GiveUp(
                    f"the settings of `{service}` are wrong", code=SETTINGS.code, help=help
                ) from error

    def _set_retries(self, client: Any) -> None:
        """Let botocore decide on retries, with our pauses; retry what our table says and answers that are incomplete.

        botocore has no setting for its pauses, so its handler is replaced by one that asks it.
        """
        from botocore.retries.standard import register_retry_handler

        service = client.meta.service_model.service_id.hyphenize()
        event, name = f"needs-retry.{service}", f"retry-config-{service}"
        client.meta.events.unregister(event, unique_id=name)
        handler = register_retry_handler(client, max_attempts=MAX_TRIES)
        client.meta.events.unregister(event, unique_id=name)

        def pause(attempts: int, operation: Any, response: Any = None, **arguments: Any) -> float | None:
            seconds = handler.needs_retry(
                attempts=attempts, operation=operation, response=response, **arguments
            )
            if seconds is not None:
                return min(seconds * self._retry_policy.backoff, self._timeout())
            is_answered = not response or is_complete(operation, *response)
            if is_answered and (attempts >= MAX_TRIES or not is_retried(response)):
                return None
            if attempts >= MAX_TRIES:
                raise UnreadableAnswer
            return min(self._retry_policy.pause(attempts), self._timeout())

        client.meta.events.register(event, pause)


def is_retried(response: tuple[Any, dict[str, Any]] | None) -> bool:
    """Whether an answer has an error that is tried again whatever botocore decides."""
    cause = meaning_of_code(str(response[1].get("Error", {}).get("Code", ""))) if response else None
    return cause is not None and cause.retried


def is_complete(operation: Any, answer: Any, parsed: dict[str, Any]) -> bool:
    """Whether an answer is complete and comes from the service; botocore parses any other as an empty answer."""
    if answer.status_code >= 300 or operation.has_streaming_output or operation.http.get("method") == "HEAD":
        return True
    length = answer.headers.get("content-length", "")
    if length.isdigit() and int(length) != len(answer.content):
        return False
    has_output = answer.content.strip() not in (b"", b"{}") and operation.output_shape
    return not has_output or parsed.keys() > {"ResponseMetadata"}
