"""What can go wrong with a request: actions for `Proxy.on`."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass


class DroppedError(ConnectionError):
    """The connection is to be closed without an answer."""


class StalledError(ConnectionError):
    """The connection stays open, and no answer ever comes."""


class ResetError(ConnectionError):
    """The connection is to be reset, as by a peer that died."""


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


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What is made of the upstream's answer, head and body; the connection is closed after it."""

    spoil: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Damaged:
    """What becomes of the body of a request on its way to S3, which looks at what comes and at what it should be."""

    change: Callable[[bytes], bytes]


Action = Callable[[], Answer | Spoilt | Damaged | None]

# Each service refuses in its own code and shape: how it throttles, how it denies, and its media type.
XML = "application/xml"
REFUSALS = {
    "s3": ((503, "SlowDown"), (403, "AccessDenied"), XML),
    "dynamodb": (
        (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        (400, "com.amazon.coral.service#AccessDeniedException"),
        "application/x-amz-json-1.0",
    ),
    "logs": ((400, "ThrottlingException"), (400, "AccessDeniedException"), "application/x-amz-json-1.1"),
    **dict.fromkeys(
        ("secretsmanager", "glue"),
        ((400, "ThrottlingException"), (400, "AccessDeniedException"), "application/x-amz-json-1.1"),
    ),
    "athena": (
        (400, "TooManyRequestsException"),
        (400, "AccessDeniedException"),
        "application/x-amz-json-1.1",
    ),
}


def throttled(service: str) -> Action:
    """Answer that the service is asked too often."""
    return _refusal(service, *REFUSALS[service][0])


def denied(service: str) -> Action:
    """Answer that the role may not do this."""
    return _refusal(service, *REFUSALS[service][1])


def broken(service: str, status: int) -> Action:
    """Answer that the service itself failed: 500 or 503."""
    code = {500: "InternalError", 503: "ServiceUnavailable"}[status]
    return _refusal(service, status, code if service == "s3" else f"{code}Exception")


def _refusal(service: str, status: int, code: str) -> Action:
    media = REFUSALS[service][2]
    if media == XML:
        text = f"<Error><Code>{code}</Code><Message>injected</Message><RequestId>1</RequestId></Error>"
    else:
        text = json.dumps({"__type": code, "message": "injected"})
    return fail(status, text.encode(), media)


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


def stall() -> Action:
    """Never answer, and keep the connection open."""

    def act() -> None:
        raise StalledError

    return act


def reset() -> Action:
    """Reset the connection without an answer."""

    def act() -> None:
        raise ResetError

    return act


def short() -> Action:
    """Cut the upstream's answer in the middle of its body, whose length was promised; only `after` the request."""
    return lambda: Spoilt(_cut)


def _cut(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    if not body:
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        head, body = b"\r\n".join([*lines, b"Content-Length: 64"]), b"<"
    return head + b"\r\n\r\n" + body[: len(body) // 2]


def garbage() -> Action:
    """Answer 200 with bytes that mean nothing to the client, under the service's own media type."""
    return lambda: Answer(200, b"\x00\xff}<garbage", "application/x-amz-json-1.0")


def damaged() -> Action:
    """Turn a bit in the middle of the request's body; only `before` the upstream has it."""
    return lambda: Damaged(_turned)


def _turned(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def noise() -> Action:
    """Put bytes on the wire that are no HTTP; only `after` the request."""
    return lambda: Spoilt(lambda _raw: b"\x15\x03\x01\x00\x02\x02\x16 no such protocol\r\n\r\n")


def portal() -> Action:
    """Answer 200 with a page of HTML, as a proxy does that wants a login."""
    return lambda: Answer(200, b"<!DOCTYPE html><title>Please log in</title>", "text/html; charset=utf-8")
