"""The sample that fills the sandbox: reproducible, and with each quirk that real orders have."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from plait_sandbox import Sample, generate, sample, write
from plait_sandbox.quirks import BROKEN, QUIRKS


class Orders:
    """The orders of a sample by their keys, and of each quirk the first order that has it."""

    def __init__(self, orders: Sample) -> None:
        self.sample = orders
        self.keys = [key for key in orders.objects if fnmatchcase(key, "transactions/*.json")]
        self.first = {quirk: keys[0] for quirk, keys in orders.quirks.items()}

    def document(self, key: str) -> Any:
        """The order of a key; a quirk's name stands for its first order."""
        return json.loads(self.sample.objects[self.first.get(key, key)], parse_float=Decimal)

    def items_key(self, key: str) -> str:
        """Where the items of an order lie."""
        return f"items/{self.document(key)['transaction_id']}.csv"

    def items(self, key: str) -> list[dict[str, str]]:
        """The items of an order."""
        text = self.sample.objects[self.items_key(key)].decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def scored(self, key: str) -> list[int]:
        """When the log says the score of an order."""
        words = f" {self.document(key)['transaction_id']} scored "
        return [at for at, line in self.sample.logs if words in line]


def test_a_seed_always_makes_the_same_sample() -> None:
    assert generate(200, 7) == generate(200, 7)
    assert generate(200, 7).objects != generate(200, 8).objects


@pytest.mark.parametrize(("number", "per_quirk"), [(24, 1), (300, 3), (2000, 20)])
def test_a_sample_has_the_orders_asked_for_and_each_quirk_often_enough(number: int, per_quirk: int) -> None:
    orders = Orders(generate(number, 5, per_quirk))
    quirks = orders.sample.quirks
    assert len(orders.keys) == number
    assert set(quirks) == {*QUIRKS, "not_json"}
    assert min(len(set(keys)) for keys in quirks.values()) >= per_quirk
    assert {key for keys in quirks.values() for key in keys} <= set(orders.sample.objects)


def test_too_few_orders_for_the_quirks_are_refused() -> None:
    with pytest.raises(ValueError, match="too few orders"):
        generate(8, 1)


def test_a_broken_order_has_no_other_quirk() -> None:
    quirks = generate(300, 2, 3).quirks
    times = Counter(key for keys in quirks.values() for key in keys)
    assert {times[key] for name in BROKEN for key in quirks[name]} == {1}


def test_an_order_without_quirks_is_complete_and_stands_in_every_source() -> None:
    orders = Orders(generate(400, 3))
    odd = {key for keys in orders.sample.quirks.values() for key in keys}
    plain = [key for key in orders.keys if key not in odd]
    stores = {row.store_id for row in orders.sample.stores}
    customers = {item["customer_id"] for item in orders.sample.activity}
    assert len(plain) > 300
    for key in plain:
        order = orders.document(key)
        prices = [int(item["quantity"]) * Decimal(item["unit_price"]) for item in orders.items(key)]
        assert order["store_id"] in stores
        assert order["customer_id"] in customers
        assert -order["total"].as_tuple().exponent == 2
        assert order["total"] == sum(prices)
        assert json.loads(base64.b64decode(order["embedded_data"]))["loyalty"]["tier"]
        (at,) = orders.scored(key)
        scored = datetime.fromtimestamp(at / 1000, UTC)
        assert abs(scored - datetime.fromisoformat(order["ordered_at"])) < timedelta(hours=1)


def test_each_quirk_of_the_document_is_what_its_name_says() -> None:
    orders = Orders(generate(300, 4))
    quirks, texts = (
        orders.sample.quirks,
        {name: orders.sample.objects[key] for name, key in orders.first.items()},
    )
    with pytest.raises(json.JSONDecodeError):
        orders.document("malformed")
    assert isinstance(orders.document("not_an_object"), list)
    assert "transaction_id" not in orders.document("no_id")
    assert ".." in orders.document("dotted_id")["transaction_id"]
    assert b'"total": 19.999' in texts["money_too_fine"]
    assert b'"store_id": 17.0' in texts["integral_float"]
    assert b'"store_id": "17"' in texts["text_store_id"]
    assert orders.document("null_time")["ordered_at"] is None
    assert datetime.fromisoformat(orders.document("naive_time")["ordered_at"]).tzinfo is None
    assert texts["pretty_json"].count(b"\n") > 5
    has_data = [("embedded_data" in orders.document(key)) for key in quirks["null_embedded"]]
    assert has_data == [True, False]
    local = datetime.fromisoformat(orders.document("offset_time")["ordered_at"])
    assert local.date() == local.astimezone(UTC).date() + timedelta(days=1)
    totals = {orders.sample.objects[key].split(b'"total": ')[1].split(b",")[0] for key in quirks["money"]}
    assert {b"9999999999.99", b"0.30", b'"12.30"'} <= totals
    first, second = map(orders.document, quirks["two_orders_one_customer"])
    assert (first["store_id"], first["customer_id"]) == (second["store_id"], second["customer_id"])
    assert {letter for key in quirks["odd_key"] for letter in key} >= set(" +ñ日%")


def test_each_quirk_of_the_items_and_the_log_is_what_its_name_says() -> None:
    orders = Orders(generate(300, 4))
    assert orders.items_key("no_items") not in orders.sample.objects
    assert orders.items("empty_items") == []
    assert orders.items("quoted_csv")[-1]["sku"] == 'Lamp, 12" "old"\nstyle'
    quantities = [orders.items(name)[-1]["quantity"] for name in ("null_csv_cell", "bad_csv_cell")]
    assert quantities == ["", "two"]
    assert len(orders.scored("two_fraud_lines")) == 2
    assert len(orders.scored("no_fraud")) == 0
    assert len(orders.scored("fraud_out_of_window")) == 1
    start = orders.document("other_log_text")["transaction_id"][:7]
    assert sum(f"transaction {start} scored" in line for _, line in orders.sample.logs) == 1


def test_a_sample_written_as_files_reads_back_the_same(tmp_path: Path) -> None:
    write(sample(), tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files} == sample().objects
