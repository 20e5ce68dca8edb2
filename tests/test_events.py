"""Any envelope names the same objects."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.events import unwrap

KEY = "transactions/a b+ñ %41.json"
URI = f"s3://shop-raw/{KEY}"


def event_bridge(key: str = KEY) -> dict[str, Any]:
    """An EventBridge event as Amazon S3's documentation shows it: the key is plain."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2021-11-12T00:00:00Z",
        "region": "ca-central-1",
        "resources": ["arn:aws:s3:::shop-raw"],
        "detail": {
            "version": "0",
            "bucket": {"name": "shop-raw"},
            "object": {
                "key": key,
                "size": 5,
                "etag": "b1946ac92492d2347c6235b4d2611184",
                "sequencer": "00617F08",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }


def notification(key: str = KEY, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """An S3 notification as Amazon S3's documentation shows it: the key is form-encoded."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-west-2",
                "eventTime": "1970-01-01T00:00:00.000Z",
                "eventName": name,
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": {"name": "shop-raw", "arn": "arn:aws:s3:::shop-raw"},
                    "object": {
                        "key": quote_plus(key, safe="/"),
                        "size": 1024,
                        "eTag": "d41d8",
                        "sequencer": "0055",
                    },
                },
            }
        ]
    }


def queued(*bodies: Any) -> dict[str, Any]:
    """Messages of an SQS queue as Lambda hands them over."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "AQEB",
                "body": body if isinstance(body, str) else json.dumps(body),
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:q",
            }
            for number, body in enumerate(bodies)
        ]
    }


def topic(body: Any) -> dict[str, Any]:
    """A message of an SNS topic as Lambda hands it over."""
    return {
        "Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Message": json.dumps(body)}}]
    }


def delivered(body: Any) -> dict[str, Any]:
    """What SNS puts into a queue without raw delivery."""
    return {"Type": "Notification", "MessageId": "x", "Message": json.dumps(body)}


@pytest.mark.fault("E10")
@pytest.mark.parametrize(
    "event",
    [
        event_bridge(),
        notification(),
        queued(event_bridge()),
        queued(notification()),
        queued(delivered(notification())),
        queued(delivered(event_bridge())),
        topic(notification()),
        topic(event_bridge()),
        {"objects": [URI]},
    ],
)
def test_every_envelope_gives_the_object(event: Any) -> None:
    """EventBridge, notifications, queues, topics and direct calls name one and the same URI."""
    assert unwrap(event).uris == (URI,)


@pytest.mark.fault("E9")
@pytest.mark.parametrize(
    "event",
    [
        queued({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "shop-raw"}),
        event_bridge() | {"detail-type": "Object Deleted"},
        notification(name="ObjectRemoved:Delete"),
    ],
)
def test_events_of_no_new_object_name_nothing(event: Any) -> None:
    """Test events and deletions are neither objects nor failures."""
    called = unwrap(event)
    assert called.uris == ()
    assert not any(message.unknown for message in called.messages)


@pytest.mark.parametrize("body", ["no json", "[]", "{}", "null", '{"Records": [{}]}', '{"Records": "x"}'])
def test_a_message_of_no_known_shape_says_so(body: str) -> None:
    """One message that cannot be read leaves its neighbours alone."""
    called = unwrap(queued(event_bridge(), body))
    assert called.uris == (URI,)
    assert [bool(message.unknown) for message in called.messages] == [False, True]


@pytest.mark.fault("E8")
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_key_of_a_notification_is_decoded_once(key: str) -> None:
    """Form-encoding and back is the identity for every key; EventBridge's keys are taken as they are."""
    assert unwrap(notification(key)).uris == unwrap(event_bridge(key)).uris == (f"s3://shop-raw/{key}",)


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_no_event_raises(event: Any) -> None:
    """Whatever the function is called with, unwrapping gives messages."""
    unwrap(event)
