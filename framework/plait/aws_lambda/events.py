"""Read which objects an event names, message by message, whatever services wrapped it on its way.

Only the address of an object is taken from an event. Its size, ETag, version, time and order are ignored: they are
true of the version that was announced, while rows are made of the version that is there when it is read.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


MAX_DEPTH = 4
MAX_NAME = 60
BATCH_KEYS = ("objects", "Items", "Key")
# Events without a new object: S3's user guide, "EventBridge" and "Supported event types" of notifications.
NO_NEWS = (
    "Object Deleted", "Object Restore ", "Object Storage Class ", "Object Access Tier ", "Object ACL ", "Object Tags ",
    "s3:TestEvent", "ObjectRemoved:", "ObjectRestore:", "ObjectTagging:", "ObjectAcl:", "ReducedRedundancyLostObject",
    "Replication:", "Lifecycle", "IntelligentTiering",
)  # fmt: skip
# Calls of S3's API as CloudTrail names them: those that make an object whole, and those that make none.
NEWS_CALLS = ("PutObject", "CopyObject", "CompleteMultipartUpload")
NO_NEWS_CALLS = (
    "Get", "Head", "List", "Delete", "PutBucket", "PutObjectTagging", "PutObjectAcl", "PutObjectRetention",
    "PutObjectLegalHold", "CreateMultipartUpload", "UploadPart", "AbortMultipartUpload", "RestoreObject",
    "SelectObjectContent",
)  # fmt: skip


class Message(Struct, frozen=True, kw_only=True):
    """One message of an event.

    `id` is the one that the queue gave, empty outside of a queue. `ignored` are the names of events that announce no
    new object. `unknown` says why the message is not understood; then it names no object.
    """

    id: str = ""
    uris: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unknown: str = ""


class Event(Struct, frozen=True, kw_only=True):
    """What the function was called with; `queue`, `direct` and `invocation` decide how it answers failures.

    `queue` says that the messages come from SQS, `direct` that the caller listed the objects and reads the report, and
    `invocation` is that of a job of S3 Batch Operations, whose tasks are the messages.
    """

    messages: tuple[Message, ...]
    queue: bool = False
    direct: bool = False
    invocation: dict[str, Any] | None = None

    @property
    def uris(self) -> tuple[str, ...]:
        """The URIs of all objects that the event names, each once, in order."""
        return tuple(dict.fromkeys(uri for message in self.messages for uri in message.uris))

    @property
    def ignored(self) -> dict[str, int]:
        """How many events announced no new object, by the event's name."""
        return dict(Counter(name for message in self.messages for name in message.ignored))

    @property
    def unknown(self) -> tuple[Message, ...]:
        """The messages that are not understood."""
        return tuple(message for message in self.messages if message.unknown)


class IgnoredEvent(Struct, frozen=True):
    """An event that announces no new object, by its name."""

    name: str


class UnknownEvent(ValueError):
    """The event has an unknown shape; the text says why in one sentence."""


def unwrap(event: Any, buckets: Sequence[str] = ()) -> Event:
    """Read an event of S3, EventBridge, SNS, SQS, Pipes or S3 Batch Operations, or a list of objects; never raises.

    A message of unknown shape says so in `unknown`. Objects listed for a Distributed Map do not name their bucket:
    they are in the first of `buckets`.
    """
    bucket = next(iter(buckets), "")
    records: Any = event.get("Records") if isinstance(event, dict) else event
    if _is_queue(records):
        messages = (
            _message(str(record.get("messageId", "")), _read_record(record, 0, bucket)) for record in records
        )
        return Event(messages=tuple(messages), queue=True)
    if isinstance(event, list) and event:  # a batch of EventBridge Pipes
        return Event(messages=tuple(_message("", _read_body(body, 0, bucket)) for body in event))
    if isinstance(event, dict) and isinstance(event.get("tasks"), list) and "invocationId" in event:
        tasks = (_message(str(_field(task, "taskid")), _read_task(task)) for task in event["tasks"])
        return Event(messages=tuple(tasks), invocation=event)
    is_direct = isinstance(event, dict) and any(name in event for name in BATCH_KEYS)
    return Event(messages=(_message("", _read_body(event, 0, bucket)),), direct=is_direct)


def _is_queue(records: Any) -> bool:
    return bool(
        isinstance(records, list)
        and records
        and all(isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in records)
    )


def _message(id: str, contents: Iterator[str | IgnoredEvent]) -> Message:
    """Read the URIs and ignored events of one message, or why it is not understood as a whole."""
    try:
        parts = list(contents)
    except UnknownEvent as error:
        return Message(id=id, unknown=str(error))
    except (KeyError, TypeError, AttributeError, RecursionError):
        return Message(id=id, unknown="the event has no shape that is known")
    uris = dict.fromkeys(uri for uri in parts if isinstance(uri, str))
    ignored = tuple(event.name for event in parts if isinstance(event, IgnoredEvent))
    return Message(id=id, uris=tuple(uris), ignored=ignored)


def _read_body(body: Any, depth: int, bucket: str) -> Iterator[str | IgnoredEvent]:
    """Read a document that was wrapped `depth` times; raises UnknownEvent, or what a wrong type raises."""
    if body.get("source") == "aws.s3":
        yield _read_eventbridge(body)
    elif body.get("Event") == "s3:TestEvent":
        yield IgnoredEvent("s3:TestEvent")
    elif body.get("Type") == "Notification":
        yield from _read_wrapped(body["Message"], depth, bucket)
    elif any(name in body for name in BATCH_KEYS):
        yield from _read_batch(body, bucket)
    else:
        for record in _as_list(body["Records"]):
            yield from _read_record(record, depth, bucket)


def _read_wrapped(text: str, depth: int, bucket: str) -> Iterator[str | IgnoredEvent]:
    """Read a JSON text that was wrapped `depth` times before."""
    if depth == MAX_DEPTH:
        raise UnknownEvent(f"the event is wrapped more than {MAX_DEPTH} times")
    try:
        body = json.loads(text)
    except ValueError:
        raise UnknownEvent("the body is no JSON") from None
    yield from _read_body(body, depth + 1, bucket)


def _read_eventbridge(body: dict[str, Any]) -> str | IgnoredEvent:
    detail, name = body["detail"], body["detail-type"]
    if name == "AWS API Call via CloudTrail":
        return _read_api_call(detail)
    if name != "Object Created":
        return _ignored(name, NO_NEWS)
    return _uri(detail["bucket"]["name"], detail["object"]["key"])


def _read_api_call(detail: dict[str, Any]) -> str | IgnoredEvent:
    """Read a call of S3's API that CloudTrail recorded; one that failed made no object."""
    name, request = detail["eventName"], detail["requestParameters"]
    if name not in NEWS_CALLS:
        return _ignored(name, NO_NEWS_CALLS)
    return IgnoredEvent(name) if detail.get("errorCode") else _uri(request["bucketName"], request["key"])


def _read_task(task: dict[str, Any]) -> Iterator[str]:
    """Read a task of S3 Batch Operations, whose key is encoded like a form."""
    bucket = task.get("s3Bucket") or task["s3BucketArn"].rpartition(":")[2]
    yield _uri(bucket, form_decoded(task["s3Key"]))


def _read_record(record: dict[str, Any], depth: int, bucket: str) -> Iterator[str | IgnoredEvent]:
    if record.get("EventSource") == "aws:sns":
        yield from _read_wrapped(record["Sns"]["Message"], depth, bucket)
    elif record.get("eventSource") == "aws:sqs":
        yield from _read_wrapped(record["body"], depth, bucket)
    elif record.get("eventSource") == "aws:s3":
        yield _read_notification(record)
    else:
        raise UnknownEvent("the event is none of S3")


def _read_notification(record: dict[str, Any]) -> str | IgnoredEvent:
    if not record["eventName"].startswith("ObjectCreated:"):
        return _ignored(record["eventName"], NO_NEWS)
    s3 = record["s3"]
    return _uri(s3["bucket"]["name"], form_decoded(s3["object"]["key"]))


def form_decoded(key: str) -> str:
    """Decode the key of a notification or a batch task of S3, which is encoded like a form; other events have plain keys."""
    return unquote_plus(key)


def _read_batch(body: dict[str, Any], bucket: str) -> Iterator[str]:
    """The URIs in `{"objects": …}` or in the input of a Distributed Map, which is a single entry without batching."""
    if "objects" in body:
        entries = _as_list(body["objects"])
    else:
        bucket = _field(body.get("BatchInput"), "bucket") or bucket
        entries = _as_list(body["Items"]) if "Items" in body else [body]
    for entry in entries:
        if isinstance(entry, str) and entry:
            yield entry
        else:
            yield _uri(_field(entry, "bucket") or bucket, _field(entry, "key"))


def _field(entry: Any, name: str) -> Any:
    """The value of a field; listings and inventories spell its name in different cases."""
    fields = entry.items() if isinstance(entry, dict) else ()
    return next((value for field, value in fields if str(field).lower() == name), None)


def _uri(bucket: Any, key: Any) -> str:
    if not isinstance(bucket, str) or not isinstance(key, str) or not bucket or not key or "/" in bucket:
        raise UnknownEvent("the event names an object without a bucket or key")
    return f"s3://{bucket}/{key}"


def _ignored(name: Any, known: tuple[str, ...]) -> IgnoredEvent:
    """An event that is known to announce no new object; raises UnknownEvent for one that may announce one."""
    if not isinstance(name, str):
        raise TypeError
    if not name.startswith(known):
        raise UnknownEvent(f"nothing is known of the event `{name[:MAX_NAME]}`, which may announce an object")
    return IgnoredEvent(name[:MAX_NAME])


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value
