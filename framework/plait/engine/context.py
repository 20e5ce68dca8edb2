"""What plait lends to connectors: clients, secrets, objects, the clock, and the counts of calls."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter, defaultdict
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plait.aws.clients import Clients, unlogged
from plait.aws.retries import Deadline, RetryPolicy, too_late
from plait.plugin import GiveUp, PlaitError, Secrets, calling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from plait.aws.pace import Pace
    from plait.plugin import Objects

current_source: ContextVar[str | None] = ContextVar("current_source", default=None)


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


class Services:
    """Clients, secrets, objects, the clock and the counts of calls, shared by a process; safe for threads.

    `rates` says how many calls of a service, such as `s3`, may begin a second.
    """

    def __init__(
        self, *, now: Callable[[], datetime] = utc_now, rates: Mapping[str, float] | None = None
    ) -> None:
        self.now = now
        self._pace: Pace | None = None
        if rates:
            from plait.aws.pace import Pace

            self._pace = Pace(rates)
        self.is_conditional = True
        self.retry_policy = RetryPolicy.from_environment()
        self.deadline = Deadline()
        self.client = Clients(self.count, self.timeout, self.retry_policy)
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._secrets: dict[str, Secrets] = {}
        self.reset_counts()

    def reset_counts(self) -> None:
        """Start counting calls anew, as for the next run of a warm process."""
        with self._lock:
            self.calls: Counter[str] = Counter()
            self._by_source: defaultdict[str, Counter[str]] = defaultdict(Counter)
            self._lines: dict[str, Counter[str]] = {}
            self.unread_lines: dict[str, str] = {}

    def count(self, operation: str, calls: int = 1) -> None:
        """Count calls for the run, and for the source that currently makes them."""
        self.count_for(current_source.get(), operation, calls)

    def count_for(self, source: str | None, operation: str, calls: int) -> None:
        """Count calls for the run and for a source, when their turn comes; raises TryAgain if no time is left for them."""
        self.timeout()
        if self._pace and (seconds := self._pace.take_turn(operation, calls)):
            self._wait(seconds)
        with self._lock:
            self.calls[operation] += calls
            if source is not None:
                self._by_source[source][operation] += calls

    def count_lines(self, source: str, read: int, unread: int, sample: str) -> None:
        """Count lines that a look-up read, and those that are no record; the first such line is kept."""
        with self._lock:
            self._lines.setdefault(source, Counter()).update(lines=read, unread=unread)
            if unread:
                self.unread_lines.setdefault(source, sample)

    def take_lines(self, source: str) -> Counter[str]:
        """The lines that a look-up read since this was asked last: `lines`, of which `unread`."""
        with self._lock:
            return self._lines.pop(source, Counter())

    def timeout(self) -> float:
        """How many seconds a call may go unanswered now; raises TryAgain if no time is left."""
        seconds_left = self.deadline.seconds_left()
        if not seconds_left:
            raise too_late()
        return min(seconds_left, self.retry_policy.timeout)

    def pause(self, attempt: int) -> None:
        """Wait before the next try; raises TryAgain if there would be no time left afterwards."""
        self._wait(self.retry_policy.pause(attempt))

    def _wait(self, seconds: float) -> None:
        if seconds >= self.deadline.seconds_left() or self._ended.wait(seconds):
            raise too_late()

    @contextmanager
    def ended_by_interrupt(self) -> Iterator[None]:
        """Within, Ctrl-C and SIGTERM end the waiting of all threads, since a process ends after them."""
        try:
            yield
        except KeyboardInterrupt:
            self._ended.set()
            raise

    def calls_of(self, source: str) -> Counter[str]:
        """The calls made for a source."""
        with self._lock:
            return Counter(self._by_source.get(source, ()))

    @contextmanager
    def on_behalf_of(self, source: str) -> Iterator[None]:
        """Count the calls made within for this source; threads need a copied context."""
        token = current_source.set(source)
        try:
            yield
        finally:
            current_source.reset(token)

    def retry_policy_now(self) -> RetryPolicy:
        """The retry policy of a client that is made now, by which no single call takes most of the remaining time."""
        return self.retry_policy.within(self.deadline.seconds)

    @cached_property
    def objects(self) -> Objects:
        """Objects on `s3://` and in local folders."""
        from plait.storage.objects import Storage

        return Storage(self.count, self.client, self.retry_policy_now, is_conditional=self.is_conditional)

    def secret(self, name: str, *, fresh: bool = False) -> Secrets:
        """A secret that is a JSON mapping; raises GiveUp without showing a value."""
        with self._lock:
            cached_secret = self._secrets.get(name)
        if cached_secret is not None and not fresh:
            return cached_secret
        value = self._fetch_secret(name)
        if value is None:
            message = f"the secret `{name}` is not a JSON mapping"
            raise GiveUp(message, help="store it as RDS does: username, password, host")
        with self._lock:
            self._secrets[name] = value
        return value

    def _fetch_secret(self, name: str) -> Secrets | None:
        """Fetch a secret; None if it is no mapping.

        An error is raised without its frames and causes, since these may hold the answer.
        """
        try:
            with unlogged(), calling(f"the secret `{name}`", service="secretsmanager"):
                return _parse_secret(self.client("secretsmanager").get_secret_value(SecretId=name))
        except PlaitError as error:
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None) from None

    def context(
        self, source: str, fields: tuple[str, ...] | None, body_fields: tuple[str, ...] = ()
    ) -> SourceContext:
        """The context that is lent to the connector of one block."""
        return SourceContext(self, source, fields, body_fields)


def _parse_secret(answer: Mapping[str, Any]) -> Secrets | None:
    try:
        value = json.loads(answer.get("SecretString") or answer.get("SecretBinary") or "")
    except ValueError:
        return None
    return Secrets(value) if isinstance(value, dict) else None


class SourceContext:
    """The `Context` of the connectors' contract, for one block of the spec: the services, whose calls count for it."""

    def __init__(
        self, services: Services, source: str, fields: tuple[str, ...] | None, body_fields: tuple[str, ...]
    ) -> None:
        self.source, self.fields, self.body_fields = source, fields, body_fields
        self.log = logging.getLogger(f"plait.{source}")
        self.now, self.client, self.secret = services.now, services.client, services.secret
        self.timeout, self.pause = services.timeout, services.pause
        self._services = services

    @property
    def objects(self) -> Objects:
        """Objects on `s3://` and in local folders."""
        return self._services.objects

    def count(self, operation: str, calls: int = 1) -> None:
        """Count calls that no boto3 client made, such as `mysql:Query`."""
        self._services.count_for(self.source, operation, calls)

    def count_lines(self, read: int, unread: int, sample: str) -> None:
        """Count lines that a look-up read, and those of them that are no record; `sample` is one of these, as it came."""
        self._services.count_lines(self.source, read, unread, sample)
