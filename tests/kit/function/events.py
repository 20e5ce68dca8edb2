"""Events as AWS sends them, about objects that a test names.

The files in `tests/data/events` were written by hand after AWS's documentation of each service. Each is a complete
event, as a function receives it.
"""

from __future__ import annotations

import json
from typing import Any

from kit.paths import DATA

EVENTS = DATA / "events"


def sent(name: str) -> Any:
    """The event in a file."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def created(key: str, bucket: str = "shop-raw") -> dict[str, Any]:
    """An event of EventBridge, whose key is not encoded."""
    event: dict[str, Any] = sent("eventbridge-created")
    event["detail"]["bucket"]["name"] = bucket
    event["detail"]["object"]["key"] = key
    return event


def notified(*keys: str) -> dict[str, Any]:
    """An S3 notification of these keys, which S3 sends encoded."""
    [record] = sent("notification-put")["Records"]
    return {"Records": [record | {"s3": record["s3"] | {"object": {"key": key}}} for key in keys]}


def queued(*bodies: Any, kind: str = "queue-notification") -> dict[str, Any]:
    """Messages of a queue, numbered from 1; a body that is a text is taken as it is."""
    record = sent(kind)["Records"][0]
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [record | {"messageId": str(n), "body": text} for n, text in enumerate(texts, 1)]}


def in_topic(event: Any) -> dict[str, Any]:
    """The event that SNS passes to a function."""
    topic: dict[str, Any] = sent("topic-notification")
    topic["Records"][0]["Sns"]["Message"] = json.dumps(event)
    return topic


def in_topic_message(event: Any) -> Any:
    """The message that SNS puts into a queue, unless it delivers raw messages."""
    body = json.loads(sent("queue-topic-notification")["Records"][0]["body"])
    return body | {"Message": json.dumps(event)}
