"""Just enough HTTP/1.1 to hand a message on as it came."""

import io
from collections.abc import Iterable
from dataclasses import dataclass

BODYLESS = (204, 304)


class CutError(ConnectionError):
    """The other side closed in the middle of a message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response: its first line, its header lines, its body, all as they were on the wire."""

    first: bytes
    lines: tuple[bytes, ...]
    headers: dict[str, str]
    body: bytes

    @property
    def raw(self) -> bytes:
        return b"".join((self.first, *self.lines, b"\r\n", self.body))

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close" or self.first.startswith(b"HTTP/1.0")

    @property
    def status(self) -> int:
        return int(self.first.split(b" ", 2)[1])


def read_head(file: io.BufferedIOBase) -> Message | None:
    """Return the head of the next message, or None if the other side closed between two messages."""
    first = file.readline()
    if not first:
        return None
    lines = []
    while (line := file.readline()) != b"\r\n":
        if not line:
            raise CutError
        lines.append(line)
    return Message(first, tuple(lines), _parsed(lines), b"")


def read_body(file: io.BufferedIOBase, head: Message, *, to_the_end: bool) -> Message:
    """Return the message with its body; without a length the body is empty, or lasts until the other side closes."""
    if "chunked" in head.headers.get("transfer-encoding", ""):
        body = _read_chunks(file)
    elif "content-length" in head.headers:
        body = _read_exactly(file, int(head.headers["content-length"]))
    else:
        body = file.read() if to_the_end else b""
    return Message(head.first, head.lines, head.headers, body)


def kept_alive(response: Message, *, bodyless: bool) -> bytes:
    """Return the response's bytes without the word to close, and with a length."""
    lines = [line for line in response.lines if not line.lower().startswith(b"connection:")]
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    if not (framed or bodyless or response.status in BODYLESS):
        lines.append(b"Content-Length: %d\r\n" % len(response.body))
    return b"".join((response.first, *lines, b"\r\n", response.body))


def _parsed(lines: Iterable[bytes]) -> dict[str, str]:
    pairs = (line.decode("latin-1").partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs}


def _read_exactly(file: io.BufferedIOBase, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise CutError
    return data


def _read_chunks(file: io.BufferedIOBase) -> bytes:
    parts = []
    while True:
        line = file.readline()
        if not line:
            raise CutError
        parts.append(line)
        size = int(line.split(b";")[0], 16)
        if size == 0:
            break
        parts.append(_read_exactly(file, size + 2))
    while parts[-1] != b"\r\n":
        parts.append(file.readline() or b"\r\n")
    return b"".join(parts)
