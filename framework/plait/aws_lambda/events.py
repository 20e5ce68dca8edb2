"""Any envelope to driving objects: which URIs an event names, message by message.

An event says more than where an object is: size, ETag, version, time, order. None of it is taken, since it is true of
the version that was announced, and rows are made of the one that stands there when it is read.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


MAX_DEPTH = 4
MAX_WORD = 60
CREATED = "Object Created"
BATCHES = ("objects", "Items", "Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of an event.

    `id` is the queue's, empty outside of a queue. `ignored` are the names of events of no new object. `unknown` says
    why the message as a whole is not understood.
    """

    id: str = ""
    uris: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
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

    @property
    def ignored(self) -> dict[str, int]:
        """How many events of no new object there were, by their name."""
        return dict(Counter(word for message in self.messages for word in message.ignored))

    @property
    def unknown(self) -> tuple[Message, ...]:
        """The messages that are not understood."""
        return tuple(message for message in self.messages if message.unknown)


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that announces no new object, by its name."""

    word: str


class UnknownEvent(ValueError):
    """A shape that is none of ours, in a sentence."""


def unwrap(event: Any, buckets: Sequence[str] = ()) -> Event:
    """Read an event; never raises, an unknown shape is a message that says so.

    Objects listed for a Distributed Map do not name their bucket: they are in the first of `buckets`.
    """
    bucket = next(iter(buckets), "")
    if _is_queue(event):
        records = event["Records"]
        messages = (_message(str(r.get("messageId", "")), _record(r, 0, bucket)) for r in records)
        return Event(messages=tuple(messages), queue=True)
    direct = isinstance(event, dict) and any(name in event for name in BATCHES)
    return Event(messages=(_message("", _read(event, 0, bucket)),), direct=direct)


def _is_queue(event: Any) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return bool(
        isinstance(records, list)
        and records
        and all(isinstance(r, dict) and r.get("eventSource") == "aws:sqs" for r in records)
    )


def _message(id: str, named: Iterator[str | Ignored]) -> Message:
    try:
        found = list(named)
    except UnknownEvent as error:
        return Message(id=id, unknown=str(error))
    except (KeyError, TypeError, AttributeError, RecursionError):
        return Message(id=id, unknown="the event has no shape that is known")
    uris = dict.fromkeys(one for one in found if isinstance(one, str))
    return Message(id=id, uris=tuple(uris), ignored=tuple(o.word for o in found if isinstance(o, Ignored)))


def _read(body: Any, depth: int, bucket: str) -> Iterator[str | Ignored]:
    if body.get("source") == "aws.s3":
        yield _event_bridge(body)
    elif body.get("Event") == "s3:TestEvent":
        yield Ignored("s3:TestEvent")
    elif body.get("Type") == "Notification":
        yield from _within(body["Message"], depth, bucket)
    elif any(name in body for name in BATCHES):
        yield from _batch(body, bucket)
    else:
        for record in _list(body["Records"]):
            yield from _record(record, depth, bucket)


def _within(text: str, depth: int, bucket: str) -> Iterator[str | Ignored]:
    """What a text says that was wrapped `depth` times before."""
    if depth == MAX_DEPTH:
        raise UnknownEvent(f"the event is wrapped more than {MAX_DEPTH} times")
    try:
        body = json.loads(text)
    except ValueError:
        raise UnknownEvent("the body is no JSON") from None
    yield from _read(body, depth + 1, bucket)


def _event_bridge(body: dict[str, Any]) -> str | Ignored:
    if body["detail-type"] != CREATED:
        return _ignored(body["detail-type"])
    return _uri(body["detail"]["bucket"]["name"], body["detail"]["object"]["key"])


def _record(record: dict[str, Any], depth: int, bucket: str) -> Iterator[str | Ignored]:
    if record.get("EventSource") == "aws:sns":
        yield from _within(record["Sns"]["Message"], depth, bucket)
    elif record.get("eventSource") == "aws:sqs":
        yield from _within(record["body"], depth, bucket)
    elif record.get("eventSource") == "aws:s3":
        yield _notification(record)
    else:
        raise UnknownEvent("the event is none of S3")


def _notification(record: dict[str, Any]) -> str | Ignored:
    if not record["eventName"].startswith("ObjectCreated:"):
        return _ignored(record["eventName"])
    named = record["s3"]
    return _uri(named["bucket"]["name"], form_decoded(named["object"]["key"]))


def form_decoded(key: str) -> str:
    """The key of an S3 notification, which is encoded like a form; every other event has its keys plain."""
    return unquote_plus(key)


def _batch(body: dict[str, Any], bucket: str) -> Iterator[str]:
    """What `{"objects": …}` names, or a Distributed Map, whose entries stand alone where nothing batches them."""
    if "objects" in body:
        entries = _list(body["objects"])
    else:
        bucket = _named(body.get("BatchInput"), "bucket") or bucket
        entries = _list(body["Items"]) if "Items" in body else [body]
    for entry in entries:
        if isinstance(entry, str) and entry:
            yield entry
        else:
            yield _uri(_named(entry, "bucket") or bucket, _named(entry, "key"))


def _named(entry: Any, name: str) -> Any:
    """The value of a listed object's or an inventory's field, however its name is written."""
    fields = entry.items() if isinstance(entry, dict) else ()
    return next((value for key, value in fields if str(key).lower() == name), None)


def _uri(bucket: Any, key: Any) -> str:
    if not isinstance(bucket, str) or not isinstance(key, str) or not bucket or not key or "/" in bucket:
        raise UnknownEvent("the event names an object without a bucket or key")
    return f"s3://{bucket}/{key}"


def _ignored(word: Any) -> Ignored:
    if not isinstance(word, str):
        raise TypeError
    return Ignored(word[:MAX_WORD])


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value
