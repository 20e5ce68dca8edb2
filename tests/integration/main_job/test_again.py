"""From a queue, only the messages come again that must; other callers are told as they expect it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from kit.locked import locked
from kit.network.faults import denied, throttled
from kit.network.proxy import Proxy
from kit.oracle import oracle, oracle_lake
from kit.shop import announced, edited_spec, queue
from plait_sandbox.servers import LOG_STREAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kit.network.faults import Action
    from kit.shop import Shop

CALM: dict[str, Any] = {"batchItemFailures": []}
ITEMS = b"sku,quantity,unit_price\nSKU-00001,2,1.50\n"


@dataclass
class Broken:
    """The shop behind a proxy that has been told what to break."""

    shop: Shop
    proxy: Proxy

    def break_object(self, key: str, action: Action) -> None:
        self.proxy.on(1, "before", action, operation="s3:GetObject", path=quote(key), forever=True)


@pytest.fixture
def broken(shop: Shop) -> Iterator[Broken]:
    with Proxy(shop.sandbox.aws.endpoint) as proxy:
        yield Broken(replace(shop, proxy=proxy), proxy)


@pytest.fixture(scope="module")
def keys(expected: oracle.Expected) -> list[str]:
    """Six orders that nothing is wrong with."""
    return sorted(expected.rows)[:6]


def _failures(*ids: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": id} for id in ids]}


def _differences(shop: Shop, lake: str, expected: oracle.Expected, keys: list[str]) -> list[str]:
    wanted = oracle.Expected(rows={key: expected.rows[key] for key in keys})
    return oracle_lake.compare(wanted, oracle_lake.read_files(shop.lake(lake)))


UNREADABLE = {"slow-down": throttled("s3"), "denied": denied("s3")}


@pytest.mark.parametrize("why", UNREADABLE)
@pytest.mark.fault("E11")
def test_one_object_that_cannot_be_read_comes_again_alone(
    broken: Broken, keys: list[str], expected: oracle.Expected, why: str
) -> None:
    """Its neighbours are written; once it can be read, one redelivery completes the lake."""
    lake, shop = f"unreadable-{why}", broken.shop
    broken.break_object(keys[2], UNREADABLE[why])
    handled = shop.fork(lake, [queue(keys)])
    assert handled.answers == [_failures("2")]
    [report] = handled.reports
    assert report["objects"]["done"] == len(keys) - 1
    assert _differences(shop, lake, expected, [*keys[:2], *keys[3:]]) == []
    refused = {request.path for request in broken.proxy.log if request.status in (403, 503)}
    assert refused == {f"/shop-raw/{quote(keys[2])}"}

    broken.proxy.reset()
    assert shop.fork(lake, [queue([keys[2]])]).answers == [CALM]
    assert _differences(shop, lake, expected, keys) == []


@pytest.mark.fault("D2")
def test_a_lookup_that_is_throttled_sends_the_whole_batch_again(
    broken: Broken, keys: list[str], expected: oracle.Expected
) -> None:
    """Nothing is written with nulls that are not the customer's; redelivery writes all of it."""
    broken.proxy.on(1, "before", throttled("dynamodb"), operation="dynamodb:BatchGetItem", forever=True)
    shop = broken.shop
    handled = shop.fork("throttled", [queue(keys)])
    assert handled.answers == [_failures(*map(str, range(len(keys))))]
    assert shop.lake("throttled") == {}

    broken.proxy.reset()
    assert shop.fork("throttled", [queue(keys)]).answers == [CALM]
    assert _differences(shop, "throttled", expected, keys) == []


@pytest.mark.parametrize("body", ['{"hello": 1}', "no JSON", "[]", '{"Records": [{}]}'])
def test_a_message_of_unknown_shape_comes_again_alone(
    shop: Shop, keys: list[str], expected: oracle.Expected, body: str
) -> None:
    """It ends in the dead-letter queue, and its neighbours do not go there with it."""
    batch = queue(keys[:2])
    batch["Records"].insert(1, {"messageId": "odd", "eventSource": "aws:sqs", "body": body})
    lake = f"unknown-{len(body)}"
    assert shop.fork(lake, [batch]).answers == [_failures("odd")]
    assert _differences(shop, lake, expected, keys[:2]) == []


@pytest.mark.parametrize(("why", "kind"), [("slow-down", "TryAgain"), ("denied", "GiveUp")])
def test_an_asynchronous_event_that_cannot_be_done_raises(
    broken: Broken, keys: list[str], why: str, kind: str
) -> None:
    """So Lambda delivers it again, and the error names the object."""
    broken.break_object(keys[0], UNREADABLE[why])
    [answer] = broken.shop.fork(f"event-{why}", [announced(keys[0])]).answers
    assert answer["raised"] == kind
    assert keys[0] in answer["message"]


def test_a_direct_call_gets_the_report_even_if_an_object_failed(broken: Broken, keys: list[str]) -> None:
    """Who calls waits for the answer, so the answer says what became of each object."""
    broken.break_object(keys[0], UNREADABLE["denied"])
    event = {"objects": [f"s3://shop-raw/{key}" for key in keys[:3]]}
    handled = broken.shop.fork("direct", [event])
    [answer] = handled.answers
    assert handled.reports == [{"message": "report", **answer}]
    assert answer["objects"]["seen"] == 3
    assert answer["objects"]["done"] == 2
    assert answer["objects"]["failed"] == 1
    assert answer["rows"] == 2


def _waiting(folder: Path, *, item: str = "keep", line: str = "keep") -> dict[str, str]:
    """The environment that runs the pipeline over `late/` with these words for `missing`."""
    edits = {
        "{on: transaction_id, as: list}": f"{{on: transaction_id, as: list, missing: {item}}}",
        "{on: transaction_id, duplicates: latest}": (
            f"{{on: transaction_id, duplicates: latest, missing: {line}}}"
        ),
    }
    return {"PLAIT_SPEC": locked(edited_spec(folder, edits)), "RAW": "s3://shop-raw/late"}


def _put_items(shop: Shop, name: str) -> None:
    shop.client.put_object(Bucket="shop-raw", Key=f"late/items/{name}.csv", Body=ITEMS)


def _put_line(shop: Shop, name: str) -> None:
    at = 1_782_986_700_000  # 2026-07-02T10:05:00Z
    shop.sandbox.client("logs").put_log_events(
        logGroupName="/shop/tx-fraud-score",
        logStreamName=LOG_STREAM,
        logEvents=[{"timestamp": at, "message": f"[fraud] model v3: transaction {name} scored 55"}],
    )


@pytest.mark.parametrize("strand", ["items", "line"])
@pytest.mark.fault("W1")
@pytest.mark.fault("C1")
def test_an_order_comes_again_until_its_late_part_is_there(shop: Shop, tmp_path: Path, strand: str) -> None:
    """With `missing: {retry_for: 10m}` a young order waits, its neighbours do not; then it is complete."""
    name, lake = f"late-{strand}", f"again-{strand}"
    word = "{retry_for: 10m}"
    environment = _waiting(tmp_path, item=word) if strand == "items" else _waiting(tmp_path, line=word)
    other = shop.put_order("late", f"other-{strand}")
    _put_items(shop, f"other-{strand}")
    _put_line(shop, f"other-{strand}")
    late = shop.put_order("late", name)
    handled = shop.fork(lake, [queue([other, late])], **environment)
    assert handled.answers == [_failures("1")]
    assert [row["transaction_id"] for row in oracle_lake.read_files(shop.lake(lake))] == [f"other-{strand}"]

    _put_items(shop, name)
    _put_line(shop, name)
    assert shop.fork(lake, [queue([late])], **environment).answers == [CALM]
    rows = {row["transaction_id"]: row for row in oracle_lake.read_files(shop.lake(lake))}
    assert rows[name]["fraud_score"] == 55
    assert [item["sku"] for item in rows[name]["items"]] == ["SKU-00001"]


def test_an_order_whose_wait_is_over_is_written_as_it_is(shop: Shop, tmp_path: Path) -> None:
    """Older than `retry_for`, it has no items and the default score, and does not come again."""
    environment = _waiting(tmp_path, item="{retry_for: 1s}", line="{retry_for: 1s}")
    key = shop.put_order("late", "never")
    time.sleep(2.1)
    assert shop.fork("never", [queue([key])], **environment).answers == [CALM]
    [row] = oracle_lake.read_files(shop.lake("never"))
    assert (row["transaction_id"], row["items"], row["fraud_score"]) == ("never", [], 0)
