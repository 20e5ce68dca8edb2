"""Any envelope to driving objects: which URIs an event names, message by message."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

MAX_DEPTH = 4
CREATED = "Object Created"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of an event; `id` is the queue's, empty outside of a queue. `unknown` says why it names nothing."""

    id: str = ""
    uris: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the function was called with; `queue` and `direct` decide how failures are told."""

    messages: tuple[Message, ...]
    queue: bool = False
    direct: bool = False

    @property
    def uris(self) -> tuple[str, ...]:
        """All objects that the event names, each once, in order."""
        return tuple(dict.fromkeys(uri for message in self.messages for uri in message.uris))


def unwrap(event: Any) -> Event:
    """Read an event; never raises, an unknown shape is a message that says so."""
    if isinstance(event, dict) and isinstance(event.get("objects"), list):
        uris = [uri for uri in event["objects"] if isinstance(uri, str)]
        return Event(messages=(Message(uris=tuple(uris)),), direct=True)
    if _is_queue(event):
        return Event(messages=tuple(_queued(record) for record in event["Records"]), queue=True)
    return Event(messages=(_message("", event),))


def _is_queue(event: Any) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return bool(
        isinstance(records, list)
        and records
        and all(isinstance(r, dict) and r.get("eventSource") == "aws:sqs" for r in records)
    )


def _queued(record: dict[str, Any]) -> Message:
    try:
        body = json.loads(record.get("body", ""))
    except (ValueError, TypeError, RecursionError):
        return Message(id=str(record.get("messageId", "")), unknown="the body is no JSON")
    return _message(str(record.get("messageId", "")), body)


def _message(id: str, body: Any) -> Message:
    try:
        return Message(id=id, uris=tuple(dict.fromkeys(_uris(body, 0))))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return Message(id=id, unknown="the event has no shape that is known")


def _uris(body: Any, depth: int) -> list[str]:
    if depth > MAX_DEPTH:
        raise ValueError
    if body.get("source") == "aws.s3" and "detail" in body:
        return _event_bridge(body)
    if body.get("Event") == "s3:TestEvent":
        return []
    if body.get("Type") == "Notification" and "Message" in body:
        return _uris(json.loads(body["Message"]), depth + 1)
    return [uri for record in body["Records"] for uri in _record(record, depth)]


def _event_bridge(body: dict[str, Any]) -> list[str]:
    if body.get("detail-type") != CREATED:
        return []
    return [f"s3://{body['detail']['bucket']['name']}/{body['detail']['object']['key']}"]


def _record(record: dict[str, Any], depth: int) -> list[str]:
    if record.get("EventSource") == "aws:sns":
        return _uris(json.loads(record["Sns"]["Message"]), depth + 1)
    if record.get("eventSource") == "aws:sqs":
        return _uris(json.loads(record["body"]), depth + 1)
    if not str(record["eventName"]).startswith("ObjectCreated:"):
        return []
    bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
    return [f"s3://{bucket}/{unquote_plus(key)}"]
