"""What can go wrong with a request: actions for `Proxy.on`."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass


class DroppedError(ConnectionError):
    """The connection is to be closed without an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client is told instead of the upstream's answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/xml"

    def raw(self, *, bodyless: bool) -> bytes:
        """Return the answer's bytes; the answer to HEAD has no body."""
        head = (
            f"HTTP/1.1 {self.status} Injected\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode("latin-1") + (b"" if bodyless else self.body)


Action = Callable[[], Answer | None]


def kill(pid: Callable[[], int]) -> Action:
    """End the client's process at once, as a lost machine does, and answer nobody."""

    def act() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid(), signal.SIGKILL)
        raise DroppedError

    return act


def fail(status: int, body: bytes = b"", content_type: str = "application/xml") -> Action:
    """Answer with this status and body."""
    return lambda: Answer(status, body, content_type)


def drop() -> Action:
    """Close the connection without an answer."""

    def act() -> None:
        raise DroppedError

    return act


def delay(seconds: float) -> Action:
    """Wait, then go on as usual."""
    return lambda: time.sleep(seconds)
