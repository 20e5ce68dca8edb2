"""A TCP proxy before a server that is no HTTP: refuses, cuts, stalls, slows and garbles connections; and a small server."""

import contextlib
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Weather:
    """What befalls a connection.

    Refused at once; cut, stalled or garbled after so many bytes of answer; each answer late; or told something else.
    """

    refuse: bool = False
    cut_after: int | None = None
    stall_after: int | None = None
    garble_after: int | None = None
    latency: float = 0.0
    instead: bytes | None = None


CALM = Weather()


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that has one connection after the other served, each to its end; its port."""

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


class TcpProxy:
    """A proxy to `upstream`, alive within its `with` block; `weather` holds for every connection made after it is set.

    `connections` counts what clients opened, `passed` are the bytes that were answered over each; `storm(weather, n)`
    spoils only the next n connections.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.weather = CALM
        self.connections = 0
        self.passed: list[int] = []
        self._spoiled: list[Weather] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])

    def storm(self, weather: Weather, connections: int = 1) -> None:
        """Spoil the next connections."""
        with self._lock:
            self._spoiled += [weather] * connections

    def opened(self) -> Weather:
        """Count a connection and say what befalls it."""
        with self._lock:
            self.connections += 1
            return self._spoiled.pop(0) if self._spoiled else self.weather

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than the proxy lives."""
        self._ended.wait(seconds)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, proxy: TcpProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        weather = self.server.proxy.opened()
        if weather.refuse:
            _reset(self.request)
            return
        if weather.instead is not None:
            self.request.sendall(weather.instead)
            return
        with socket.create_connection(self.server.proxy.upstream, timeout=60) as upstream:
            upstream.settimeout(None)
            thread = threading.Thread(target=_copy, args=(self.request, upstream), daemon=True)
            thread.start()
            with contextlib.suppress(OSError):
                self._answers(upstream, weather)
            with contextlib.suppress(OSError):
                self.request.shutdown(socket.SHUT_RD)
            thread.join(1)
            _reset(self.request)

    def _answers(self, upstream: socket.socket, weather: Weather) -> None:
        passed, ends = self.server.proxy.passed, (weather.cut_after, weather.stall_after)
        number = len(passed)
        passed.append(0)
        room = min((end for end in ends if end is not None), default=sys.maxsize)
        while data := upstream.recv(65_536):
            time.sleep(weather.latency)
            sent = _garbled(data, passed[number], weather.garble_after)[: room - passed[number]]
            self.request.sendall(sent)
            passed[number] += len(sent)
            if passed[number] >= room:
                if weather.stall_after is not None:
                    self.server.proxy.wait(120)
                return


def _garbled(data: bytes, passed: int, after: int | None) -> bytes:
    """Return the data with each byte after a place turned over, so that lengths and texts mean something else."""
    if after is None:
        return data
    clear = max(0, after - passed)
    return data[:clear] + bytes(byte ^ 0xFF for byte in data[clear:])


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    """Close with RST, as a peer that died does."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
