"""The main job through the handler, on real parts: what is delivered how often changes nothing."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from kit.oracle import oracle, oracle_lake
from kit.shop import batches, queue

if TYPE_CHECKING:
    from kit.shop import Shop


@pytest.fixture(scope="module")
def once(shop: Shop) -> dict[str, bytes]:
    """The lake after each event was delivered once, ten a batch."""
    shop.invoke("once", batches(shop.keys(), 10))
    return shop.lake("once")


def test_the_lake_equals_the_oracle_value_for_value(
    once: dict[str, bytes], expected: oracle.Expected
) -> None:
    """Every row of the demo's sample is what plain Python computes, read by an independent reader."""
    assert oracle_lake.compare(expected, oracle_lake.read_files(once)) == []


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.fault("E1")
def test_delivery_changes_nothing(shop: Shop, once: dict[str, bytes], size: int) -> None:
    """Every event three times, shuffled, in batches of any size leaves the same files with the same bytes."""
    keys = shop.keys() * 3
    random.Random(size).shuffle(keys)
    shop.invoke(f"thrice-{size}", batches(keys, size))
    assert shop.lake(f"thrice-{size}") == once


def test_the_counts_add_up_and_name_what_was_set_aside(shop: Shop, expected: oracle.Expected) -> None:
    """Skipped, quarantined and written are counted, and each quarantined record lies there with its reason."""
    _, [answer], [report] = shop.invoke("counts", [queue(shop.keys())])
    assert answer == {"batchItemFailures": []}
    objects, records = report["objects"], report["records"]
    assert objects["seen"] == len(shop.keys())
    assert objects["skipped"] == len(expected.skipped)
    assert objects["done"] == objects["seen"] - objects["skipped"]
    assert records["quarantined"] == len(expected.quarantined)
    assert records["read"] == records["written"] + records["quarantined"]
    assert records["written"] == report["rows"] == len(report["files"]) == len(expected.rows)
    records = [json.loads(data) for data in shop.lake("counts", "quarantine").values()]
    assert {record["object"].removeprefix("s3://shop-raw/") for record in records} == set(
        expected.quarantined
    )
    for record in records:
        assert record["raw"].encode() == shop.sample.objects[record["object"].removeprefix("s3://shop-raw/")]
        assert record["message"]


def test_one_malformed_object_leaves_its_nine_neighbours(shop: Shop, expected: oracle.Expected) -> None:
    """Nine rows, one quarantine record with reason, URI and raw bytes, and no message comes again."""
    bad = shop.sample.quirks["malformed"][0]
    good = sorted(expected.rows)[:9]
    _, [answer], [report] = shop.invoke("nine", [queue([*good[:4], bad, *good[4:]])])
    assert answer == {"batchItemFailures": []}
    assert len(oracle_lake.read_files(shop.lake("nine"))) == 9
    [record] = [json.loads(data) for data in shop.lake("nine", "quarantine").values()]
    assert record["object"] == f"s3://shop-raw/{bad}"
    assert record["raw"].encode() == shop.sample.objects[bad]
    assert "JSON" in record["message"]
    assert report["records"] == {"read": 10, "written": 9, "dropped": 0, "quarantined": 1, "left_out": 0}


def test_a_deleted_object_is_gone_and_not_a_failure(shop: Shop) -> None:
    """An object that was deleted before it was read is counted as gone."""
    _, [answer], [report] = shop.invoke("gone", [queue(["transactions/never-there.json"])])
    assert answer == {"batchItemFailures": []}
    assert report["objects"]["gone"] == 1
