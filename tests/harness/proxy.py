"""A local HTTP proxy between plait and moto that counts, names, and breaks requests on purpose."""

import contextlib
import dataclasses
import io
import socket
import socketserver
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlsplit

from harness.faults import Action, Answer, delay, drop, fail, kill
from harness.operations import operation
from harness.wire import BODYLESS, CutError, Message, kept_alive, read_body, read_head

__all__ = ["Proxy", "Request", "delay", "drop", "fail", "kill"]

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request that came by; `status` is None while it has no answer."""

    number: int
    operation: str
    method: str
    path: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class _Fault:
    number: int
    when: When
    action: Action
    operation: str | None
    forever: bool

    def meets(self, request: Request, nth_of_operation: int) -> bool:
        if self.operation not in (None, request.operation):
            return False
        count = request.number if self.operation is None else nth_of_operation
        return count == self.number or (self.forever and count > self.number)


class Proxy:
    """A reverse proxy to `upstream` that lives as long as its `with` block."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
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

    def reset(self) -> None:
        """Forget requests and faults; the next request is number 1."""
        with self._lock:
            self._log, self._calls, self._faults = [], Counter(), []

    def on(
        self, number: int, when: When, action: Action, *, operation: str | None = None, forever: bool = False
    ) -> None:
        """Do `action` at the n-th request (of `operation`, if given), and with `forever` at each later one."""
        with self._lock:
            self._faults.append(_Fault(number, when, action, operation, forever))

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
            request = Request(len(self._log) + 1, name, method, path)
            self._log.append(request)
            self._calls[name] += 1
            nth = self._calls[name]
            met = [fault for fault in self._faults if fault.meets(request, nth)]
            return _Exchange(request, met, self._log, self._lock)


@dataclass(frozen=True, slots=True)
class _Exchange:
    request: Request
    faults: list[_Fault]
    log: list[Request]
    lock: threading.Lock

    def act(self, when: When) -> Answer | None:
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
        self.upstream = _Upstream(self.server.proxy.upstream)
        with contextlib.suppress(ConnectionError, TimeoutError), contextlib.closing(self.upstream):
            while self._exchange():
                pass

    def _exchange(self) -> bool:
        message = self._receive()
        if message is None:
            return False
        exchange = self.server.proxy.arrived(message)
        status, raw = self._answer(exchange, message)
        exchange.answered(status)
        self.wfile.write(raw)
        return not message.closes

    def _receive(self) -> Message | None:
        head = read_head(self.rfile)
        if head is None:
            return None
        if head.headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return read_body(self.rfile, head, to_the_end=False)

    def _answer(self, exchange: _Exchange, message: Message) -> tuple[int, bytes]:
        bodyless = exchange.request.method == "HEAD"
        answer = exchange.act("before")
        if answer is None:
            response = self.upstream.ask(message, bodyless=bodyless)
            answer = exchange.act("after")
            if answer is None:
                return response.status, kept_alive(response, bodyless=bodyless)
        return answer.status, answer.raw(bodyless=bodyless)


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
