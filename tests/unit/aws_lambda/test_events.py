"""An event names the same objects in whatever envelope it arrives.

The files in `events` were written by hand after AWS's documentation of each service. Each is a complete event, as a
function receives it.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from kit.paths import DATA
from plait.aws_lambda.events import MAX_DEPTH, form_decoded, unwrap
from plait.deploy.event_pattern import event_pattern
from plait.values.paths import DriverPath
from plait.values.templates import STARS

FOLDER = DATA / "events"
ODD, TWO = "s3://shop-raw/transactions/año 1+1 100%.json", "s3://shop-raw/transactions/2.json"

NAMED = {
    "eventbridge-created": [ODD],
    "eventbridge-created-multipart": [ODD],
    "eventbridge-replayed": [ODD],
    "map-csv": [ODD, TWO],
    "map-inventory": ["s3://shop-raw/transactions/1.json", TWO],
    "map-item": [ODD],
    "map-item-inventory": [TWO],
    "map-listing": ["s3://shop-raw/transactions/", ODD, TWO],
    "map-listing-batch-input": [ODD, TWO],
    "map-uris": [ODD, TWO],
    "notification-copy": [ODD],
    "notification-put": [ODD],
    "objects": [ODD, TWO],
    "queue-eventbridge": [ODD, TWO],
    "queue-fifo": [ODD, TWO],
    "queue-notification": [ODD],
    "queue-objects": [ODD],
    "queue-test-event": [ODD],
    "queue-topic-eventbridge": [ODD],
    "queue-topic-notification": [ODD],
    "queue-topic-raw": [ODD],
    "topic-eventbridge": [ODD],
    "topic-notification": [ODD],
}
IGNORED = {
    "eventbridge-deleted": {"Object Deleted": 1},
    "eventbridge-expired": {"Object Deleted": 1},
    "eventbridge-restored": {"Object Restore Completed": 1},
    "eventbridge-tagged": {"Object Tags Added": 1},
    "notification-expired": {"LifecycleExpiration:Delete": 1},
    "notification-removed": {"ObjectRemoved:DeleteMarkerCreated": 1},
    "notification-restored": {"ObjectRestore:Completed": 1},
    "notification-tagged": {"ObjectTagging:Put": 1},
    "queue-test-event": {"s3:TestEvent": 1},
    "test-event": {"s3:TestEvent": 1},
    "topic-test-event": {"s3:TestEvent": 1},
}
NOTHING = {"empty-records"}

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def golden(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def created(key: str) -> dict[str, Any]:
    """An event of EventBridge, whose key is not encoded."""
    event: dict[str, Any] = golden("eventbridge-created")
    event["detail"]["object"]["key"] = key
    return event


def notified(encoded: str) -> dict[str, Any]:
    """An S3 notification with this key, encoded as S3 sends it."""
    event: dict[str, Any] = golden("notification-put")
    event["Records"][0]["s3"]["object"]["key"] = encoded
    return event


def queued(*bodies: str) -> dict[str, Any]:
    """Messages of a queue, numbered from 1."""
    [record] = golden("queue-notification")["Records"]
    return {"Records": [record | {"messageId": str(n), "body": body} for n, body in enumerate(bodies, 1)]}


def in_queue(event: Any) -> Any:
    return queued(json.dumps(event))


def in_topic(event: Any) -> Any:
    """The event that SNS passes to a function."""
    topic = golden("topic-notification")
    topic["Records"][0]["Sns"]["Message"] = json.dumps(event)
    return topic


def as_notification(event: Any) -> Any:
    """The message that SNS puts into a queue, unless it delivers raw messages."""
    body = json.loads(golden("queue-topic-notification")["Records"][0]["body"])
    return body | {"Message": json.dumps(event)}


wrappers = st.lists(st.sampled_from([in_queue, in_topic, as_notification]), max_size=MAX_DEPTH)


@pytest.mark.fault("E8")
@pytest.mark.fault("E10")
@pytest.mark.fault("E13")
@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_envelope_gives_its_objects(name: str) -> None:
    """Keys come out as the bucket has them, whatever encoded them on the way, and however old the event is."""
    event = unwrap(golden(name), ["shop-raw"])
    assert list(event.uris) == NAMED[name]
    assert event.unknown == ()


@pytest.mark.fault("E9")
@pytest.mark.parametrize("name", sorted(IGNORED))
def test_an_event_of_no_new_object_is_ignored_and_counted(name: str) -> None:
    event = unwrap(golden(name))
    assert event.ignored == IGNORED[name]
    assert list(event.uris) == NAMED.get(name, [])
    assert event.unknown == ()


@pytest.mark.fault("E9")
def test_an_event_without_records_names_nothing() -> None:
    event = unwrap(golden("empty-records"))
    assert (event.uris, event.ignored, event.unknown) == ((), {}, ())


def test_each_file_is_in_the_table() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == NAMED.keys() | IGNORED.keys() | NOTHING


@pytest.mark.parametrize("name", sorted(NAMED.keys() | IGNORED.keys()))
def test_only_the_outermost_envelope_decides_how_failures_are_answered(name: str) -> None:
    """The messages of a queue fail one by one, a list of objects gets the report; all other events are asynchronous."""
    event = unwrap(golden(name), ["shop-raw"])
    assert event.queue is name.startswith("queue-")
    assert event.direct is name.startswith(("map-", "objects"))


def test_each_message_names_its_own_objects() -> None:
    messages = unwrap(golden("queue-eventbridge")).messages
    assert [(message.id[-1], *message.uris) for message in messages] == [("1", ODD), ("2", TWO)]


def test_a_listed_object_is_in_the_bucket_that_its_batch_names_else_in_the_one_that_drives() -> None:
    """`BatchInput` with a `bucket` wins over the spec, and an entry's own `Bucket` over both."""
    entries = [{"Key": "1"}, {"Key": "2", "Bucket": "third"}]
    assert unwrap({"Items": entries}, ["first"]).uris == ("s3://first/1", "s3://third/2")
    assert (
        unwrap({"Items": entries, "BatchInput": {"Bucket": "second"}}, ["first"]).uris[0] == "s3://second/1"
    )
    assert "without a bucket" in unwrap({"Items": entries}).messages[0].unknown


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        "{}",
        "null",
        "7",
        '"s3://shop-raw/a"',
        '{"Records": [{}]}',
        '{"Records": "x"}',
        '{"Records": {}}',
        '{"objects": "s3://shop-raw/a"}',
        '{"objects": [7]}',
        '{"objects": [""]}',
        '{"Items": [{}]}',
        '{"Records": [{"eventSource": "aws:dynamodb", "eventName": "INSERT"}]}',
        '{"source": "aws.ec2", "detail-type": "Object Created", "detail": {}}',
        '{"source": "aws.s3", "detail-type": ["Object Created"]}',
        '{"Type": "Notification", "Message": "hello"}',
        json.dumps(created("")),
        json.dumps(created("a") | {"detail": {"bucket": {"name": "shop-raw/x"}, "object": {"key": "a"}}}),
        json.dumps(created("a") | {"detail": {"bucket": {"name": 7}, "object": {"key": "a"}}}),
        base64.b64encode(gzip.compress(json.dumps(created("a")).encode())).decode(),
        "[" * 100_000,
    ],
)
def test_a_message_of_unknown_shape_says_so_and_does_not_affect_the_others(body: str) -> None:
    """A compressed or encoded body is unknown too, since AWS sends none."""
    event = unwrap(queued(json.dumps(created("a")), body))
    assert event.uris == ("s3://shop-raw/a",)
    assert [message.id for message in event.unknown] == ["2"]


def test_a_message_is_understood_as_a_whole_or_not_at_all() -> None:
    """A message that names a good object beside nonsense names nothing, and is delivered again."""
    [record] = golden("notification-put")["Records"]
    [message] = unwrap(in_queue({"Records": [record, {}]})).messages
    assert message.uris == ()
    assert message.unknown


@given(st.lists(keys, min_size=1, max_size=3), wrappers)
def test_wrapping_and_unwrapping_gives_the_objects(names: list[str], around: list[Any]) -> None:
    """Queues and topics may be nested up to four deep around any kind of event."""
    [record] = golden("notification-put")["Records"]
    events = [
        {"Records": [_with_key(record, quote_plus(key)) for key in names]},
        {"objects": [f"s3://shop-raw/{key}" for key in names]},
        created(names[0]),
    ]
    expected = tuple(dict.fromkeys(f"s3://shop-raw/{key}" for key in names))
    for event, uris in zip(events, [expected, expected, expected[:1]], strict=True):
        wrapped = event
        for wrap in around:
            wrapped = wrap(wrapped)
        assert unwrap(wrapped).uris == uris


def _with_key(record: dict[str, Any], key: str) -> dict[str, Any]:
    s3 = record["s3"] | {"object": {"key": key}}
    return record | {"s3": s3}


def test_an_event_wrapped_five_times_is_unknown() -> None:
    event = created("a")
    for _ in range(MAX_DEPTH + 1):
        event = in_topic(event)
    assert "wrapped more than 4 times" in unwrap(event).messages[0].unknown


@pytest.mark.fault("E8")
@given(keys)
@example("a+b c%2Bd%20e")
@example("100%")
@example("%2525")
@example("日本/ñ\x00\x1f\x7f\n")
def test_the_key_of_a_notification_is_decoded_once_and_no_other_key_at_all(key: str) -> None:
    """Form-encoding and back is the identity, whether a space is sent as `+` or `%20`, and `/` as it is or not."""
    for encoded in (quote_plus(key), quote_plus(key, safe="/"), quote(key)):
        assert form_decoded(encoded) == key
        assert unwrap(notified(encoded)).uris == (f"s3://shop-raw/{key}",)
    for event in (created(key), {"Items": [{"Key": key}]}, {"objects": [f"s3://shop-raw/{key}"]}):
        assert unwrap(event, ["shop-raw"]).uris == (f"s3://shop-raw/{key}",)


@given(json_values)
def test_no_event_raises(event: Any) -> None:
    """Whatever the function is called with, unwrapping returns one message for it."""
    for unwrapped in (unwrap(event), unwrap(in_queue(event))):
        assert len(unwrapped.messages) == 1
        assert isinstance(unwrapped.ignored, dict)


@given(st.data(), st.sampled_from(sorted(NAMED.keys() | IGNORED.keys())))
def test_no_damaged_event_raises(data: st.DataObject, name: str) -> None:
    """If any one value of a real event is replaced, its objects are named, or the message says why not."""
    event = golden(name)
    holder = event
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        place = data.draw(st.sampled_from(places))
        inner = holder[place]
        if not (isinstance(inner, dict | list) and inner and data.draw(st.booleans())):
            break
        holder = inner
    holder[place] = data.draw(json_values)
    for uri in unwrap(event, ["shop-raw"]).uris:
        assert isinstance(uri, str)
        assert uri


PATHS = [
    "s3://shop-raw/transactions/*.json",
    "s3://shop-raw/transactions/**/*.json",
    "s3://shop-raw/transactions/{day}/{store}-*.json",
    "s3://shop-raw/transactions/*{id}.json",
    "s3://shop-raw/transactions/2.json",
    "s3://shop-raw/**",
    "s3://shop-raw/a\\b{{c}}/*",
]
pieces = st.sampled_from(
    ["transactions/", "a\\b{c}/", "2026-07-01/", "x", "-", ".json", "/", "*", "\\", "2", "."]
)


@pytest.mark.fault("E7")
@given(st.sampled_from(PATHS), st.lists(pieces, min_size=1, max_size=6).map("".join))
def test_the_rule_of_a_path_lets_through_every_key_that_matches(path: str, key: str) -> None:
    """An EventBridge rule cannot stop at `/`; what it lets through besides is skipped by the run."""
    driver = DriverPath.parse(path)
    rule: Any = EventPattern.load(json.dumps(event_pattern(driver)))
    loose = DriverPath(path, tuple(part if isinstance(part, str) else STARS for part in driver.parts))
    assert rule.matches_event(created(key)) is (loose.match(f"s3://shop-raw/{key}") is not None)
    if driver.match(f"s3://shop-raw/{key}") is not None:
        assert rule.matches_event(created(key))
    assert not rule.matches_event(golden("eventbridge-deleted"))


def test_the_rule_of_a_path_has_the_form_that_eventbridge_accepts() -> None:
    r"""A path without a hole is compared as it is, holes in a row are one `*`, and a `\` is escaped."""
    expected = {
        "s3://shop-raw/one.json": "one.json",
        "s3://shop-raw/in/{day}/**/*.json": {"wildcard": "in/*/*/*.json"},
        "s3://shop-raw/in/{day}{id}***": {"wildcard": "in/*"},
        "s3://shop-raw/a\\b/*": {"wildcard": "a\\\\b/*"},
    }
    for path, key in expected.items():
        pattern = event_pattern(DriverPath.parse(path))
        assert pattern["detail"] == {"bucket": {"name": ["shop-raw"]}, "object": {"key": [key]}}


def test_an_object_listed_in_any_envelope_is_in_the_bucket_that_drives() -> None:
    """The listing of a Distributed Map may pass through queues and topics, as every other event."""
    for wrap in (in_queue, in_topic, as_notification, lambda event: in_queue(in_topic(event))):
        assert unwrap(wrap({"Items": [{"Key": "1"}]}), ["first"]).uris == ("s3://first/1",)


def test_a_message_has_an_id_only_if_its_queue_gave_one() -> None:
    [record] = queued(json.dumps(created("a")))["Records"]
    del record["messageId"]
    assert [message.id for message in unwrap({"Records": [record]}).messages] == [""]
    assert [message.id for message in unwrap(created("a")).messages] == [""]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("no json", "the body is no JSON"),
        ("[]", "the event has no shape that is known"),
        ('{"Records": [{}]}', "the event is none of S3"),
        ('{"objects": [{"bucket": 7, "key": "a"}]}', "the event names an object without a bucket or key"),
        ('{"objects": [{"bucket": "b", "key": ["a"]}]}', "the event names an object without a bucket or key"),
    ],
)
def test_a_message_that_is_not_understood_says_why_in_one_sentence(body: str, why: str) -> None:
    assert [message.unknown for message in unwrap(queued(body)).messages] == [why]
