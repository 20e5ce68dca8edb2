"""CloudWatch Logs on this machine, as strict as AWS says it is: what is put is seen later, and pages may be empty."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from kit.servers.filters import RefusedError, matcher

PAGE_EVENTS = PUT_EVENTS = 10_000
PAGE_BYTES = PUT_BYTES = 1_048_576
OVERHEAD = 26
DAY = 86_400_000
OLDEST, NEWEST = 14 * DAY, DAY // 12


class RefusalError(Exception):
    """An error that the service answers."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A line; `at` is its own time and `ingested` when it was put, both in milliseconds; `seen` is when it is found."""

    at: int
    ingested: int
    id: str
    stream: str = field(compare=False)
    message: str = field(compare=False)
    seen: float = field(compare=False)

    @property
    def size(self) -> int:
        return len(self.message.encode("utf-8", "surrogatepass")) + OVERHEAD

    def as_answered(self) -> dict[str, Any]:
        """Return the event as FilterLogEvents tells it."""
        return {
            "logStreamName": self.stream,
            "timestamp": self.at,
            "message": self.message,
            "ingestionTime": self.ingested,
            "eventId": self.id,
        }


@dataclass(slots=True)
class _Group:
    created: int
    streams: dict[str, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rest:
    """What a token stands for: the request it continues, the events left to scan, and when it ends."""

    request: Mapping[str, Any]
    events: Sequence[Event]
    until: float


class Logs:
    """A server that lives as long as its `with` block; its state may be changed while it runs.

    `now` tells the time in seconds. A line is found `delay` seconds after it was put. One call looks at no more than
    `scan` events, whether they match or not, so a page may be partly filled or empty and have a token all the same.
    `stuck` answers every page with the token that was sent. `end_belongs` says whether an event at `endTime` is found:
    the documentation says yes, and the service was seen to say no.
    """

    def __init__(self, *, now: Callable[[], float] = time.time, delay: float = 0.0) -> None:
        self.now, self.delay = now, delay
        self.scan = PAGE_EVENTS
        self.stuck = self.end_belongs = False
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._throttled = 0
        self._groups: dict[str, _Group] = {}
        self._tokens: dict[str, _Rest] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Exchange)
        self._server.daemon_threads = True
        self._server.logs = self  # type: ignore[attr-defined]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(
        self, group: str, *lines: tuple[int, str], stream: str = "model", delay: float | None = None
    ) -> None:
        """Put lines, each with its time in milliseconds, of whatever age; group and stream need not be there."""
        with self._lock:
            log_group = self._groups.setdefault(group, _Group(self._millis()))
            log_group.streams.setdefault(stream, self._millis())
            self._add(log_group, stream, lines, self.delay if delay is None else delay)

    def throttle(self, calls: int) -> None:
        """Refuse the next calls."""
        self._throttled = calls

    def expire(self) -> None:
        """End every token that was given out."""
        with self._lock:
            self._tokens.clear()

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks; raises RefusalError."""
        with self._lock:
            self.requests.append((operation, request))
            if self._throttled:
                self._throttled -= 1
                raise RefusalError("ThrottlingException", "Rate exceeded")
            method = getattr(self, f"_{operation}", None)
            if method is None:
                raise RefusalError("UnknownOperationException", operation)
            answer: dict[str, Any] = method(request)
            return answer

    def _millis(self) -> int:
        return round(self.now() * 1000)

    def _group(self, request: Mapping[str, Any]) -> _Group:
        name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
        if (name is None) == (identifier is None):
            raise _invalid("either logGroupName or logGroupIdentifier is needed, and not both")
        if identifier and identifier.endswith("*"):
            raise _invalid("an ARN in logGroupIdentifier does not end with an asterisk")
        name = name or str(identifier).removesuffix(":*").rpartition(":log-group:")[2]
        if name not in self._groups:
            raise RefusalError("ResourceNotFoundException", "The specified log group does not exist.")
        return self._groups[name]

    def _add(self, group: _Group, stream: str, lines: Sequence[tuple[int, str]], delay: float) -> None:
        seen, ingested = self.now() + delay, self._millis()
        group.events += [Event(at, ingested, f"{next(self._ids):056}", stream, m, seen) for at, m in lines]

    def _CreateLogGroup(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named by the operation
        if request["logGroupName"] in self._groups:
            raise RefusalError("ResourceAlreadyExistsException", "The specified log group already exists")
        self._groups[request["logGroupName"]] = _Group(self._millis())
        return {}

    def _CreateLogStream(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named by the operation
        streams = self._group(request).streams
        if request["logStreamName"] in streams:
            raise RefusalError("ResourceAlreadyExistsException", "The specified log stream already exists")
        streams[request["logStreamName"]] = self._millis()
        return {}

    def _DescribeLogGroups(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named by the operation
        prefix = request.get("logGroupNamePrefix", "")
        names = sorted(name for name in self._groups if name.startswith(prefix))
        return {"logGroups": [{"logGroupName": n, "creationTime": self._groups[n].created} for n in names]}

    def _PutLogEvents(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named by the operation
        group, stream = self._group(request), request["logStreamName"]
        if stream not in group.streams:
            raise RefusalError("ResourceNotFoundException", "The specified log stream does not exist.")
        lines = [(line["timestamp"], line["message"]) for line in request["logEvents"]]
        times = [at for at, _ in lines]
        size = sum(len(message.encode()) + OVERHEAD for _, message in lines)
        if not lines or len(lines) > PUT_EVENTS or size > PUT_BYTES:
            raise _invalid(f"a batch has 1 to {PUT_EVENTS} events and at most {PUT_BYTES} bytes")
        if times != sorted(times) or times[-1] - times[0] > DAY:
            raise _invalid("the events of a batch are in the order of their times, within 24 hours")
        now = self._millis()
        good = [line for line in lines if now - OLDEST <= line[0] <= now + NEWEST]
        self._add(group, stream, good, self.delay)
        old, new = sum(at < now - OLDEST for at in times), sum(at <= now + NEWEST for at in times)
        rejected = {"tooOldLogEventEndIndex": old} if old else {}
        rejected |= {"tooNewLogEventStartIndex": new} if new < len(times) else {}
        return {"nextSequenceToken": "0"} | ({"rejectedLogEventsInfo": rejected} if rejected else {})

    def _FilterLogEvents(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named by the operation
        group = self._group(request)
        if "logStreamNames" in request and "logStreamNamePrefix" in request:
            raise _invalid("either logStreamNames or logStreamNamePrefix, and not both")
        limit = request.get("limit", PAGE_EVENTS)
        if not 1 <= limit <= PAGE_EVENTS:
            raise _invalid(f"limit is from 1 to {PAGE_EVENTS}")
        try:
            matches = matcher(request.get("filterPattern", ""))
        except RefusedError as error:
            raise _invalid(f"Invalid filter pattern: {error}") from error
        token = request.get("nextToken")
        events = self._found(group, request) if token is None else self._continued(request)
        page: list[dict[str, Any]] = []
        size = looked = 0
        for event in events[: self.scan]:
            if matches(event.message):
                size += event.size
                if len(page) == limit or size > PAGE_BYTES:
                    break
                page.append(event.as_answered())
            looked += 1
        answer = {"events": page, "searchedLogStreams": []}
        return answer | self._token(request, events[looked:])

    def _found(self, group: _Group, request: Mapping[str, Any]) -> list[Event]:
        """Return the events that this request is about, as far as they are seen by now."""
        start, end = request.get("startTime", 0), request.get("endTime")
        names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
        now, last = self.now(), float("inf") if end is None else end if self.end_belongs else end - 1
        return sorted(
            e
            for e in group.events
            if e.seen <= now
            and start <= e.at <= last
            and (e.stream in names if names else e.stream.startswith(prefix))
        )

    def _continued(self, request: Mapping[str, Any]) -> Sequence[Event]:
        continued = self._tokens.get(request["nextToken"])
        if continued is None or continued.until < self.now() or continued.request != _asked(request):
            raise _invalid("The specified nextToken is invalid.")
        return continued.events

    def _token(self, request: Mapping[str, Any], events: Sequence[Event]) -> dict[str, str]:
        if self.stuck and "nextToken" in request:
            return {"nextToken": request["nextToken"]}
        if not (events or self.stuck):
            return {}
        token = f"Bxkq6kVGFtq2y_Moigeqscas{next(self._ids):024}"
        self._tokens[token] = _Rest(_asked(request), events, self.now() + 86_400)
        return {"nextToken": token}


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "nextToken"}


def _invalid(message: str) -> RefusalError:
    return RefusalError("InvalidParameterException", message)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        logs: Logs = self.server.logs  # type: ignore[attr-defined]
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        try:
            status, body = 200, logs.answer(self.headers["X-Amz-Target"].rpartition(".")[2], request)
        except RefusalError as error:
            status, body = 400, {"__type": error.code, "message": str(error)}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep silent."""
