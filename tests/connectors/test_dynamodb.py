"""The connector `dynamodb`, against moto."""

from __future__ import annotations

import io
import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from kit.connect import create_table, dynamodb_lookup
from kit.network.proxy import Proxy, fail
from kit.stubs import Stub
from plait.plugin import BadRecord, GiveUp, Key, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.aws import LocalAws


@pytest.fixture(scope="module")
def endpoint(aws: LocalAws) -> str:
    client = Stub(endpoint=aws.endpoint).client("dynamodb")
    create_table(client, "activity", id="S")
    create_table(client, "numbered", id="N")
    for n in range(120):
        client.put_item(
            TableName="activity", Item={"id": {"S": f"c{n}"}, "status": {"S": "on"}, "x": {"N": "1"}}
        )
    client.put_item(TableName="numbered", Item={"id": {"N": "7"}, "whole": {"N": "1E+3"}})
    return aws.endpoint


MISMATCH = "The provided key element does not match the schema"
TOO_LONG = "One or more parameter values were invalid: Size of rangekey has exceeded the maximum size limit of 1024 bytes"


def fetch(stub: Stub, *values: object, table: str = "activity", name: str = "id") -> list[Any]:
    return list(dynamodb_lookup(stub, table).fetch([Key(fields={name: value}) for value in values]))


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
def test_a_whole_number_arrives_as_one_however_it_was_written(endpoint: str) -> None:
    """What becomes of every kind of attribute is in `tests/data/kinds/dynamodb.yaml`."""
    (record,) = fetch(Stub(endpoint=endpoint), Decimal("7.0"), table="numbered")
    assert record.fields == {"id": 7, "whole": 1000}
    assert all(isinstance(value, int) for value in record.fields.values())


@pytest.mark.fault("D3")
def test_equal_numbers_are_one_key(endpoint: str) -> None:
    assert len(fetch(Stub(endpoint=endpoint), 7, Decimal("7.00"), table="numbered")) == 1


@pytest.mark.fault("D1")
def test_unprocessed_keys_are_asked_again(endpoint: str) -> None:
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
    list(dynamodb_lookup(stub, "activity", consistent=consistent).fetch([Key(fields={"id": "c1"})]))
    assert seen[0]["RequestItems"]["activity"]["ConsistentRead"] is consistent


@pytest.mark.fault("D4")
def test_a_key_of_another_type_is_permanent(endpoint: str) -> None:
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
    with Proxy(endpoint) as proxy:
        refuse(proxy, 400, "ValidationException", MISMATCH)
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
    create_table(client, table, **{other: "S", sorts: "S"})
    keys = [{other: "a", sorts: "é" * 512}, {other: "b" * 2048, sorts: "1"}, {other: "c", sorts: "1"}]
    for key in keys:
        client.put_item(TableName=table, Item={name: {"S": value} for name, value in key.items()})

    def answer(request: Any, **_rest: Any) -> Any:
        keys_of_request = json.loads(request.body)["RequestItems"][table]["Keys"]
        long = any(len(key[sorts]["S"].encode()) > 1024 for key in keys_of_request)
        return refusal("ValidationException", TOO_LONG) if long else None

    stub = Stub(endpoint=endpoint)
    stub.client("dynamodb").meta.events.register_first("before-send.dynamodb.BatchGetItem", answer)
    lookup = dynamodb_lookup(stub, table)
    all_keys = [*keys, {other: "c", sorts: "x" * 1025}, {other: "b" * 2048, sorts: "x" * 1025}]
    items = [record.fields for record in lookup.fetch([Key(fields=key) for key in all_keys])]
    assert sorted(items, key=lambda item: item[other]) == sorted(keys, key=lambda item: item[other])


def test_only_impossible_keys_cost_no_call(endpoint: str) -> None:
    stub = Stub(endpoint=endpoint)
    assert fetch(stub, "") == []
    assert not stub.calls


def test_a_missing_table_is_permanent(endpoint: str) -> None:
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
    with Proxy(endpoint) as proxy:
        refuse(proxy, status, code)
        with pytest.raises(kind) as caught:
            fetch(Stub(endpoint=proxy.endpoint), "c1")
        assert proxy.calls["dynamodb:BatchGetItem"] == (2 if kind is TryAgain else 1)
    assert kind is TryAgain or caught.value.help == "allow the role `dynamodb:BatchGetItem` on it"


def refusal_body(code: str, message: str) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}).encode()


def refuse(proxy: Proxy, status: int, code: str, message: str = "no") -> None:
    """Answer every call of the proxy with a refusal."""
    refused = fail(status, refusal_body(code, message), "application/x-amz-json-1.0")
    proxy.on(1, "before", refused, operation="dynamodb:BatchGetItem", forever=True)


class Body(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, *_args: object, **_rest: object) -> Iterator[bytes]:
        yield self.read()


def refusal(code: str, message: str) -> AWSResponse:
    """A refusal in place of an answer of the service."""
    return AWSResponse("http://x", 400, HTTPHeaders(), Body(refusal_body(code, message)))


@pytest.mark.fault("D2")
def test_no_answer_is_for_later() -> None:
    with pytest.raises(TryAgain):
        fetch(Stub(), "c1")
