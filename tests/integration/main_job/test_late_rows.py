"""An order waits for a row that comes later, in DynamoDB and in MySQL, and is whole when it is there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from kit.locked import locked
from kit.network.proxy import Proxy
from kit.oracle import oracle_lake
from kit.shop import announced, edited_spec, queue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kit.shop import Shop

SEEN = datetime(2026, 7, 3, 8, 30, tzinfo=UTC)
STORE = 990


@pytest.fixture(scope="module", autouse=True)
def _leave_the_shop_as_it_was(shop: Shop) -> Iterator[None]:
    yield
    shop.sandbox.mysql.execute(f"DELETE FROM stores.stores WHERE store_id >= {STORE}")
    for name in ("row-activity", "fresh"):
        shop.sandbox.client("dynamodb").delete_item(
            TableName="customer-activity", Key={"customer_id": {"S": name}}
        )


def waiting(folder: Path, strand: str, word: str) -> dict[str, str]:
    """The environment that runs the pipeline over `rows/` with this word for `missing` of a strand."""
    on = {"activity": "customer_id", "stores": "store_id"}[strand]
    spec = edited_spec(folder, {f"{{on: {on}}}": f"{{on: {on}, missing: {word}}}"})
    return {"PLAIT_SPEC": locked(spec), "RAW": "s3://shop-raw/rows"}


def put_row(shop: Shop, strand: str, name: str) -> None:
    """Put the row that the order of a name asks for."""
    if strand == "activity":
        item = {"customer_id": {"S": name}, "last_seen": {"S": SEEN.isoformat()}}
        shop.sandbox.client("dynamodb").put_item(TableName="customer-activity", Item=item)
    else:
        shop.sandbox.mysql.execute(f"INSERT INTO stores.stores VALUES ({STORE}, 'Late', 'Lugo')")


@pytest.mark.parametrize("strand", ["activity", "stores"])
@pytest.mark.fault("L1")
@pytest.mark.fault("L5")
def test_an_order_comes_again_until_its_late_row_is_there(shop: Shop, tmp_path: Path, strand: str) -> None:
    """With `missing: {retry_for: 10m}` nothing is written while the row is missing, then the order with it."""
    name, lake = f"row-{strand}", f"row-{strand}"
    environment = waiting(tmp_path, strand, "{retry_for: 10m}")
    key = shop.put_order("rows", name, customer_id=name, store_id=STORE)
    for _ in range(2):
        handled = shop.fork(lake, [queue([key])], **environment)
        assert handled.answers == [{"batchItemFailures": [{"itemIdentifier": "0"}]}]
        [problem] = handled.reports[0]["problems"]
        assert (problem["code"], problem["message"]) == ("not-there-yet", f"`{strand}` has no match yet")
    assert shop.lake(lake) == shop.lake(lake, "quarantine") == {}

    put_row(shop, strand, name)
    assert shop.fork(lake, [queue([key])], **environment).answers == [{"batchItemFailures": []}]
    [row] = oracle_lake.read_files(shop.lake(lake))
    if strand == "activity":
        assert row["customer_last_seen"] == SEEN
    else:
        assert (row["store_name"], row["store_city"]) == ("Late", "Lugo")


@pytest.mark.parametrize("strand", ["activity", "stores"])
def test_an_asynchronous_event_raises_while_a_row_is_late(shop: Shop, tmp_path: Path, strand: str) -> None:
    """What is worth another try is told as that, and names the look-up and the object."""
    key = shop.put_order("rows", f"event-{strand}", customer_id="nobody", store_id=STORE + 1)
    environment = waiting(tmp_path, strand, "{retry_for: 10m}")
    [answer] = shop.fork("row-event", [announced(key)], **environment).answers
    assert answer["raised"] == "TryAgain"
    assert f"`{strand}` has no match yet" in answer["message"]
    assert key in answer["message"]


@pytest.mark.fault("D6")
def test_a_row_written_before_its_order_is_never_missed_by_a_stale_read(shop: Shop, tmp_path: Path) -> None:
    """Reads of DynamoDB are consistent by default, so that no fresh item is taken for a missing one."""
    bodies: list[dict[str, Any]] = []

    class Seeing(Proxy):
        def arrived(self, message: Any) -> Any:
            exchange = super().arrived(message)
            if exchange.request.operation == "dynamodb:BatchGetItem":
                bodies.append(json.loads(message.body))
            return exchange

    name = "fresh"
    put_row(shop, "activity", name)
    key = shop.put_order("rows", name, customer_id=name)
    with Seeing(shop.sandbox.aws.endpoint) as proxy:
        seeing = replace(shop, proxy=proxy)
        environment = waiting(tmp_path, "activity", "{retry_for: 10m}")
        assert seeing.fork("row-fresh", [queue([key])], **environment).answers == [{"batchItemFailures": []}]
    assert [body["RequestItems"]["customer-activity"]["ConsistentRead"] for body in bodies] == [True]
    [row] = oracle_lake.read_files(shop.lake("row-fresh"))
    assert row["customer_last_seen"] == SEEN
