"""A local HTTP proxy between plait and moto that counts, names, and breaks requests on purpose."""

import contextlib
import dataclasses
import io
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlsplit

from kit.network.digests import refusal, sums
from kit.network.faults import (
    Action,
    Answer,
    Damaged,
    ResetError,
    Spoilt,
    StalledError,
    delay,
    drop,
    fail,
    kill,
)
from kit.network.operations import operation
from kit.network.wire import BODYLESS, CutError, Message, kept_alive, read_body, read_head

__all__ = ["Proxy", "Request", "delay", "drop", "fail", "kill"]

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request that came by; `sums` are the headers that tell what its body is, `status` is None without an answer."""

    number: int
    operation: str
    method: str
    path: str
    sums: tuple[str, ...] = ()
    status: int | None = None


@dataclass(slots=True)
class _Fault:
    number: int
    when: When
    action: Action
    operation: str | None
    path: str
    forever: bool
    seen: int = 0

    def meets(self, request: Request) -> bool:
        if self.operation not in (None, request.operation) or self.path not in request.path:
            return False
        self.seen += 1
        return self.seen == self.number or (self.forever and self.seen > self.number)


class Proxy:
    """A reverse proxy to `upstream` that lives as long as its `with` block.

    `routes` send the requests of some services, by their name in IAM, to another upstream. Headers of the names `without`,
    in small letters, go no further.
    """

    def __init__(
        self, upstream: str, routes: Mapping[str, str] | None = None, without: Sequence[str] = ()
    ) -> None:
        self.without = tuple(f"{name}:".encode() for name in without)
        self.upstream = _address(upstream)
        self.routes = {service: _address(url) for service, url in (routes or {}).items()}
        self._lock = threading.Lock()
        self._log: list[Request] = []
        self._calls: Counter[str] = Counter()
        self._faults: list[_Fault] = []
        self._server = _Server(self)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was asked for since the last reset, answered or not."""
        with self._lock:
            return Counter(self._calls)

    @property
    def log(self) -> list[Request]:
        """The requests since the last reset, in the order they came."""
        with self._lock:
            return list(self._log)

    def mend(self) -> None:
        """Forget the faults."""
        with self._lock:
            self._faults = []

    def reset(self) -> None:
        """Forget requests and faults; the next request is number 1."""
        with self._lock:
            self._log, self._calls, self._faults = [], Counter(), []

    def hang_up(self) -> None:
        """End all connections, as those of a process that ended are."""
        self._server.cut()

    def on(
        self,
        number: int,
        when: When,
        action: Action,
        *,
        operation: str | None = None,
        path: str = "",
        forever: bool = False,
    ) -> None:
        """Do `action` at the n-th request since the reset, and with `forever` at each later one.

        Only requests of `operation` count, if it is given, and only those whose path has `path` in it.
        """
        fault = _Fault(number, when, action, operation, path, forever)
        with self._lock:
            for request in self._log:
                fault.meets(request)
            self._faults.append(fault)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.cut()
        self._server.server_close()
        self._thread.join()

    def arrived(self, message: Message) -> "_Exchange":
        """Number and note a request."""
        method, path, _ = message.first.decode("latin-1").split(" ", 2)
        name = operation(method, path, message.headers, message.body)
        with self._lock:
            request = Request(len(self._log) + 1, name, method, path, sums(message))
            self._log.append(request)
            self._calls[name] += 1
            met = [fault for fault in self._faults if fault.meets(request)]
            return _Exchange(request, met, self._log, self._lock)


@dataclass(frozen=True, slots=True)
class _Exchange:
    request: Request
    faults: list[_Fault]
    log: list[Request]
    lock: threading.Lock

    def act(self, when: When) -> Answer | Spoilt | Damaged | None:
        answers = (fault.action() for fault in self.faults if fault.when == when)
        return next((answer for answer in answers if answer is not None), None)

    def answered(self, status: int) -> None:
        with self.lock:
            self.log[self.request.number - 1] = dataclasses.replace(self.request, status=status)


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Connection)

    def get_request(self) -> tuple[socket.socket, object]:
        client, address = super().get_request()
        self.open.add(client)
        return client, address

    def close_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self.open.discard(request)
        super().close_request(request)

    def cut(self) -> None:
        for client in list(self.open):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.StreamRequestHandler):
    """One client's connection, and one to the upstream for as long as that keeps it."""

    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        self.upstreams: dict[tuple[str, int], _Upstream] = {}
        with contextlib.suppress(ConnectionError, TimeoutError), contextlib.ExitStack() as self.stack:
            try:
                while self._exchange():
                    pass
            except StalledError:
                self.rfile.read()
            except ResetError:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.rfile.close()
                self.request.close()

    def _exchange(self) -> bool:
        message = self._receive()
        if message is None:
            return False
        exchange = self.server.proxy.arrived(message)
        status, raw, spoilt = self._answer(exchange, message)
        exchange.answered(status)
        self.wfile.write(raw)
        return not (spoilt or message.closes)

    def _receive(self) -> Message | None:
        head = read_head(self.rfile)
        if head is None:
            return None
        if head.headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return read_body(self.rfile, head, to_the_end=False)

    def _answer(self, exchange: _Exchange, message: Message) -> tuple[int, bytes, bool]:
        bodyless, proxy = exchange.request.method == "HEAD", self.server.proxy
        answer = exchange.act("before")
        if isinstance(answer, Damaged):
            message = dataclasses.replace(message, body=answer.change(message.body))
            answer = refusal(message)
        if answer is None:
            lines = tuple(
                line for line in message.lines if not line.lower().startswith(proxy.without or b"\n")
            )
            message = dataclasses.replace(message, lines=lines)
            response = self._upstream(exchange.request).ask(message, bodyless=bodyless)
            raw = kept_alive(response, bodyless=bodyless)
            answer = exchange.act("after")
            if answer is None:
                return response.status, raw, False
            if isinstance(answer, Spoilt):
                return response.status, answer.spoil(raw), True
        assert isinstance(answer, Answer), "only the upstream's answer can be spoilt"
        return answer.status, answer.raw(bodyless=bodyless), False

    def _upstream(self, request: Request) -> "_Upstream":
        proxy = self.server.proxy
        address = proxy.routes.get(request.operation.partition(":")[0], proxy.upstream)
        if address not in self.upstreams:
            self.upstreams[address] = self.stack.enter_context(contextlib.closing(_Upstream(address)))
        return self.upstreams[address]


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80


class _Upstream:
    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.socket: socket.socket | None = None
        self.file: io.BufferedReader | None = None

    def ask(self, message: Message, *, bodyless: bool) -> Message:
        reused = self.socket is not None
        try:
            return self._ask(message, bodyless=bodyless)
        except _StaleError:
            self.close()
            if not reused:
                raise
            return self._ask(message, bodyless=bodyless)

    def _ask(self, message: Message, *, bodyless: bool) -> Message:
        file = self._send(message.raw)
        head = read_head(file)
        while head is not None and head.status < 200:
            head = read_head(file)
        if head is None:
            raise _StaleError
        response = head if bodyless or head.status in BODYLESS else read_body(file, head, to_the_end=True)
        if response.closes:
            self.close()
        return response

    def _send(self, data: bytes) -> io.BufferedReader:
        if self.socket is None or self.file is None:
            self.socket = socket.create_connection(self.address, timeout=120)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.file = self.socket.makefile("rb")
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _StaleError from error
        return self.file

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
        if self.socket is not None:
            self.socket.close()
        self.socket = self.file = None


class _StaleError(CutError):
    """The upstream closed before it answered."""
