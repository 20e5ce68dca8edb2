"""An event names the same objects in whatever envelope it arrives."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kit.function.events import EVENTS, created, in_topic, in_topic_message, notified, queued, sent
from kit.tables import table
from plait.aws_lambda.events import MAX_DEPTH, form_decoded, unwrap

NAMED = table("events.yaml")
UNKNOWN = [(body, reason) for reason, bodies in table("unknown_messages.yaml").items() for body in bodies]
TOO_DEEP = ("[" * 100_000, "the event has no shape that is known")

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
wrappers = st.lists(st.sampled_from([queued, in_topic, in_topic_message]), max_size=MAX_DEPTH)


def test_each_file_is_in_the_table() -> None:
    assert {file.stem for file in EVENTS.iterdir()} == NAMED.keys()


@pytest.mark.fault("E8")
@pytest.mark.fault("E9")
@pytest.mark.fault("E10")
@pytest.mark.fault("E13")
@pytest.mark.parametrize("name", NAMED)
def test_every_envelope_gives_its_objects_and_counts_events_of_no_new_object(name: str) -> None:
    """Keys come out as the bucket has them, whatever encoded them on the way, and however old the event is.

    Only the outermost envelope decides how failures are answered: the messages of a queue fail one by one, a list of
    objects gets the report; all other events are asynchronous.
    """
    event = unwrap(sent(name), ["shop-raw"])
    assert list(event.uris) == NAMED[name].get("objects", [])
    assert event.ignored == NAMED[name].get("ignored", {})
    assert event.unknown == ()
    assert event.queue is name.startswith("queue-")
    assert event.direct is name.startswith(("map-", "objects"))
    assert (event.invocation is not None) is name.startswith("tasks")


def test_each_message_names_its_own_objects() -> None:
    messages = unwrap(sent("queue-eventbridge")).messages
    assert [(message.id[-1], message.uris) for message in messages] == [
        (str(n), (uri,)) for n, uri in enumerate(NAMED["queue-eventbridge"]["objects"], 1)
    ]


def test_a_message_has_an_id_only_if_its_queue_gave_one() -> None:
    [record] = queued(created("a"))["Records"]
    del record["messageId"]
    assert [message.id for message in unwrap({"Records": [record]}).messages] == [""]
    assert [message.id for message in unwrap(created("a")).messages] == [""]


def test_a_listed_object_is_in_the_bucket_that_its_batch_names_else_in_the_one_that_drives() -> None:
    """`BatchInput` with a `bucket` wins over the spec, and an entry's own `Bucket` over both."""
    entries = [{"Key": "1"}, {"Key": "2", "Bucket": "third"}]
    assert unwrap({"Items": entries}, ["first"]).uris == ("s3://first/1", "s3://third/2")
    assert (
        unwrap({"Items": entries, "BatchInput": {"Bucket": "second"}}, ["first"]).uris[0] == "s3://second/1"
    )
    assert "without a bucket" in unwrap({"Items": entries}).messages[0].unknown


def test_an_object_listed_in_any_envelope_is_in_the_bucket_that_drives() -> None:
    """The listing of a Distributed Map may pass through queues and topics, as every other event."""
    for wrap in (queued, in_topic, in_topic_message, lambda event: queued(in_topic(event))):
        assert unwrap(wrap({"Items": [{"Key": "1"}]}), ["first"]).uris == ("s3://first/1",)


@pytest.mark.parametrize(
    ("body", "reason"), [*UNKNOWN, pytest.param(*TOO_DEEP, id="100,000 lists in one another")]
)
def test_a_message_of_unknown_shape_says_why_in_one_sentence_and_does_not_affect_the_others(
    body: str, reason: str
) -> None:
    """A compressed or encoded body is unknown too, since AWS sends none."""
    event = unwrap(queued(created("a"), body))
    assert event.uris == ("s3://shop-raw/a",)
    assert [(message.id, message.unknown) for message in event.unknown] == [("2", reason)]


def test_a_message_is_understood_as_a_whole_or_not_at_all() -> None:
    """A message that names a good object beside nonsense names nothing, and is delivered again."""
    [message] = unwrap(queued({"Records": [*notified("a")["Records"], {}]})).messages
    assert message.uris == ()
    assert message.unknown


@given(st.lists(keys, min_size=1, max_size=3), wrappers)
def test_wrapping_and_unwrapping_gives_the_objects(names: list[str], around: list[Any]) -> None:
    """Queues and topics may be nested up to four deep around any kind of event."""
    uris = tuple(dict.fromkeys(f"s3://shop-raw/{key}" for key in names))
    for event, expected in (
        (notified(*map(quote_plus, names)), uris),
        ({"objects": [f"s3://shop-raw/{key}" for key in names]}, uris),
        (created(names[0]), uris[:1]),
    ):
        wrapped: Any = event
        for wrap in around:
            wrapped = wrap(wrapped)
        assert unwrap(wrapped).uris == expected


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
    """Whatever the function is called with, unwrapping returns one message for it, and for each element of a list."""
    for unwrapped, count in (
        (unwrap(event), len(event) if isinstance(event, list) and event else 1),
        (unwrap(queued(json.dumps(event))), 1),
    ):
        assert len(unwrapped.messages) == count
        assert isinstance(unwrapped.ignored, dict)


@given(st.data(), st.sampled_from(sorted(NAMED.keys() - {"empty-records"})))
def test_no_damaged_event_raises(data: st.DataObject, name: str) -> None:
    """If any one value of a real event is replaced, its objects are named, or the message says why not."""
    event = sent(name)
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
