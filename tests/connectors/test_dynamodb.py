"""The connector `dynamodb`, against moto."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from kit.proxy import Proxy, fail
from kit.stubs import Stub
from plait.plugin import BadRecord, GiveUp, Key, TryAgain
from plait_connectors import dynamodb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.aws import LocalAws


@pytest.fixture(scope="module")
def endpoint(aws: LocalAws) -> str:
    client = Stub(endpoint=aws.endpoint).client("dynamodb")
    for table, kind in (("activity", "S"), ("numbered", "N")):
        client.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": kind}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    for n in range(120):
        client.put_item(
            TableName="activity", Item={"id": {"S": f"c{n}"}, "status": {"S": "on"}, "x": {"N": "1"}}
        )
    client.put_item(TableName="numbered", Item={"id": {"N": "7"}, **ITEM})
    return aws.endpoint


ITEM: dict[str, Any] = {
    "exact": {"N": "12345678901234567890123456789012345.678"},
    "whole": {"N": "1E+3"},
    "bytes": {"B": b"\x00\xff"},
    "nothing": {"NULL": True},
    "texts": {"SS": ["b", "a"]},
    "numbers": {"NS": ["10", "9.5"]},
    "blobs": {"BS": [b"b", b"a"]},
    "nested": {"M": {"list": {"L": [{"BOOL": True}, {"M": {"n": {"N": "1"}}}]}}},
}


MISMATCH = "The provided key element does not match the schema"
TOO_LONG = "One or more parameter values were invalid: Size of rangekey has exceeded the maximum size limit of 1024 bytes"


def fetch(stub: Stub, *values: object, table: str = "activity", name: str = "id") -> list[Any]:
    lookup = dynamodb.DynamoDBLookup(dynamodb.DynamoDBOptions(table=table), stub)
    return list(lookup.fetch([Key(fields={name: value}) for value in values]))


def unprocessed(stub: Stub, times: int) -> None:
    remaining = [times]

    def take(parsed: dict[str, Any], **_rest: Any) -> None:
        items = parsed["Responses"].get("activity", [])
        if remaining[0] and items:
            remaining[0] -= 1
            again = items.pop()
            parsed["UnprocessedKeys"] = {"activity": {"Keys": [{"id": again["id"]}]}}

    stub.client("dynamodb").meta.events.register("after-call.dynamodb.BatchGetItem", take)


def test_hundred_keys_cost_one_call(endpoint: str) -> None:
    """A hundred keys are one BatchGetItem, and a key without an item gives no record."""
    stub = Stub(endpoint=endpoint)
    records = fetch(stub, *(f"c{n}" for n in range(99)), "absent")
    assert {record.fields["id"] for record in records} == {f"c{n}" for n in range(99)}
    assert stub.calls == {"dynamodb:BatchGetItem": 1}


@pytest.mark.fault("D7")
def test_only_the_fields_of_the_spec_are_read(endpoint: str) -> None:
    """Only the key and the spec's fields are asked for, also where a name is a reserved word."""
    (record,) = fetch(Stub(endpoint=endpoint, fields=("status",)), "c1")
    assert record.fields == {"id": "c1", "status": "on"}


@pytest.mark.fault("D5")
def test_values_arrive_as_they_are(endpoint: str) -> None:
    """Numbers are exact, sets are sorted lists, and nested values keep their shape."""
    (record,) = fetch(Stub(endpoint=endpoint), Decimal("7.0"), table="numbered")
    assert record.fields == {
        "id": 7,
        "exact": Decimal("12345678901234567890123456789012345.678"),
        "whole": 1000,
        "bytes": b"\x00\xff",
        "nothing": None,
        "texts": ["a", "b"],
        "numbers": [Decimal("9.5"), 10],
        "blobs": [b"a", b"b"],
        "nested": {"list": [True, {"n": 1}]},
    }
    assert isinstance(record.fields["id"], int)


@pytest.mark.fault("D3")
def test_equal_numbers_are_one_key(endpoint: str) -> None:
    """7 and 7.00 are the same key to DynamoDB and are sent once."""
    assert len(fetch(Stub(endpoint=endpoint), 7, Decimal("7.00"), table="numbered")) == 1


@pytest.mark.fault("D1")
def test_unprocessed_keys_are_asked_again(endpoint: str) -> None:
    """What DynamoDB leaves unprocessed is asked for again until all is there."""
    stub = Stub(endpoint=endpoint)
    unprocessed(stub, 3)
    assert len(fetch(stub, *(f"c{n}" for n in range(10)))) == 10
    assert stub.calls["dynamodb:BatchGetItem"] == 4


@pytest.mark.fault("D1")
def test_keys_that_stay_unprocessed_are_for_later(endpoint: str) -> None:
    """The fetch fails instead of returning a part of the answer."""
    stub = Stub(endpoint=endpoint)
    unprocessed(stub, 100)
    with pytest.raises(TryAgain, match="unanswered 8 times"):
        fetch(stub, "c1")


@pytest.mark.fault("D6")
@pytest.mark.parametrize("consistent", [True, False])
def test_reads_are_consistent_unless_the_option_says_otherwise(endpoint: str, consistent: bool) -> None:
    stub, seen = Stub(endpoint=endpoint), []
    events = stub.client("dynamodb").meta.events
    events.register("provide-client-params.dynamodb.BatchGetItem", lambda params, **_: seen.append(params))
    options = dynamodb.DynamoDBOptions(table="activity", consistent=consistent)
    list(dynamodb.DynamoDBLookup(options, stub).fetch([Key(fields={"id": "c1"})]))
    assert seen[0]["RequestItems"]["activity"]["ConsistentRead"] is consistent


@pytest.mark.fault("D4")
def test_a_key_of_another_type_is_permanent(endpoint: str) -> None:
    """A key that is not the table's is an error to correct, with a help."""
    with pytest.raises(GiveUp) as caught:
        fetch(Stub(endpoint=endpoint), "c1", name="other")
    assert "key attributes" in str(caught.value.help)


@pytest.mark.fault("D4")
def test_one_bad_key_leaves_the_others(endpoint: str) -> None:
    """A key without a DynamoDB type is a fault of its own; one that no item can have matches nothing."""
    bad, good = fetch(Stub(endpoint=endpoint), 1.5, "", "k" * 3000, "c1")
    assert isinstance(bad.fault, BadRecord)
    assert bad.fields == {"id": 1.5}
    assert good.fields["id"] == "c1"


@pytest.mark.fault("D4")
def test_a_key_of_the_right_name_and_another_type_says_which(endpoint: str) -> None:
    """AWS refuses the whole call, without the name: the error has the table, the attribute and how it was asked for."""
    body = json.dumps({"__type": "com.amazon.coral.validate#ValidationException", "message": MISMATCH})
    with Proxy(endpoint) as proxy:
        refused = fail(400, body.encode(), "application/x-amz-json-1.0")
        proxy.on(1, "before", refused, operation="dynamodb:BatchGetItem", forever=True)
        with pytest.raises(GiveUp) as caught:
            fetch(Stub(endpoint=proxy.endpoint), *(f"c{n}" for n in range(3)), table="numbered")
        assert proxy.calls == {"dynamodb:BatchGetItem": 1}
    assert caught.value.message == f"table `numbered` cannot be used: ValidationException: {MISMATCH}"
    help = "join on all key attributes of the table, each in its own type: asked for was `id` as text"
    assert caught.value.help == help


@pytest.mark.fault("D4")
@pytest.mark.parametrize("sorts", ["id", "day"])
def test_a_sort_key_that_is_too_long_matches_nothing_and_its_neighbours_match(
    endpoint: str, sorts: str
) -> None:
    """A sort key has at most 1,024 bytes and a partition key 2,048; AWS refuses a whole call for one that has more."""
    client = Stub(endpoint=endpoint).client("dynamodb")
    table, other = f"sorted-by-{sorts}", {"id": "day", "day": "id"}[sorts]
    client.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "day")],
        KeySchema=[{"AttributeName": other, "KeyType": "HASH"}, {"AttributeName": sorts, "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    keys = [{other: "a", sorts: "é" * 512}, {other: "b" * 2048, sorts: "1"}, {other: "c", sorts: "1"}]
    for key in keys:
        client.put_item(TableName=table, Item={name: {"S": value} for name, value in key.items()})

    def answer(request: Any, **_rest: Any) -> Any:
        asked = json.loads(request.body)["RequestItems"][table]["Keys"]
        long = any(len(key[sorts]["S"].encode()) > 1024 for key in asked)
        return refusal(400, "ValidationException", TOO_LONG) if long else None

    stub = Stub(endpoint=endpoint)
    stub.client("dynamodb").meta.events.register_first("before-send.dynamodb.BatchGetItem", answer)
    lookup = dynamodb.DynamoDBLookup(dynamodb.DynamoDBOptions(table=table), stub)
    asked = [*keys, {other: "c", sorts: "x" * 1025}, {other: "b" * 2048, sorts: "x" * 1025}]
    items = [record.fields for record in lookup.fetch([Key(fields=key) for key in asked])]
    assert sorted(items, key=lambda item: item[other]) == sorted(keys, key=lambda item: item[other])


def test_only_impossible_keys_cost_no_call(endpoint: str) -> None:
    """Nothing is asked where no key can have an item."""
    stub = Stub(endpoint=endpoint)
    assert fetch(stub, "") == []
    assert not stub.calls


def test_a_missing_table_is_permanent(endpoint: str) -> None:
    """A table that is not there is an error to correct."""
    with pytest.raises(GiveUp, match="absent"):
        fetch(Stub(endpoint=endpoint), "c1", table="absent")


@pytest.mark.fault("D2")
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ProvisionedThroughputExceededException", TryAgain),
        (400, "ThrottlingException", TryAgain),
        (500, "InternalServerError", TryAgain),
        (400, "AccessDeniedException", GiveUp),
    ],
)
def test_refusals_that_may_pass_are_for_later_and_others_are_permanent(
    endpoint: str, monkeypatch: Any, status: int, code: str, kind: Any
) -> None:
    """The first after botocore's own retries; the help of the others names the permission."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    stub, sent = Stub(endpoint=endpoint), list[int]()

    def answer(**_rest: Any) -> Any:
        sent.append(1)
        return refusal(status, code)

    events = stub.client("dynamodb").meta.events
    events.register_first("before-send.dynamodb.BatchGetItem", answer)
    with pytest.raises(kind) as caught:
        fetch(stub, "c1")
    assert len(sent) == (2 if kind is TryAgain else 1)
    assert kind is TryAgain or caught.value.help == "allow the role `dynamodb:BatchGetItem` on it"


def refusal(status: int, code: str, message: str = "no") -> Any:
    import io

    from botocore.awsrequest import AWSResponse
    from botocore.compat import HTTPHeaders

    class Raw(io.BytesIO):
        def stream(self, *_args: object, **_rest: object) -> Iterator[bytes]:
            yield self.read()

    body = (
        b'{"__type":"com.amazonaws.dynamodb.v20120810#'
        + code.encode()
        + b'","message":"%b"}' % message.encode()
    )
    return AWSResponse("http://x", status, HTTPHeaders(), Raw(body))


@pytest.mark.fault("D2")
def test_no_answer_is_for_later() -> None:
    """An endpoint that refuses connections is for later."""
    with pytest.raises(TryAgain):
        fetch(Stub(), "c1")
