"""The bad orders of the sample are mended and replayed: the lake is that of a sample without faults."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kit.network.proxy import Proxy, fail
from kit.oracle import oracle, oracle_lake
from kit.shop import queue
from plait_sandbox import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kit.shop import Shop
    from plait_sandbox.sample_data import Sample

SPEC = "pipelines/transactions.yaml"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def mended(sample: Sample) -> Sample:
    """The sample with each order of the quarantine as it should have been."""
    mended_objects = {
        key: json.dumps(
            {
                "transaction_id": f"mended-{n}",
                "ordered_at": f"2026-07-0{1 + n % 4}T10:00:00Z",
                "store_id": 2 + n,
                "customer_id": "c-0001",
                "total": 12.5,
                "embedded_data": None,
            }
        ).encode()
        for n, key in enumerate(oracle.expect(sample).quarantined)
    }
    return replace(sample, objects={**sample.objects, **mended_objects})


def answer_of(shop: Shop, lake: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a command; its exit code and its answer."""
    ended = shop.command(lake, *arguments, "-o", "json")
    return ended.returncode, json.loads(ended.stdout)


def test_what_is_in_quarantine_is_counted_and_shown_as_it_came(shop: Shop, copy: str) -> None:
    """On S3: each bad order by its code and column, and one of them beside the spec."""
    lake, raw = "shown", ("--param", f"raw={copy}")
    expected = oracle.expect(shop.sample).quarantined
    assert answer_of(shop, lake, "run", SPEC, *raw, "--all")[0] == 0
    code, listed = answer_of(shop, lake, "quarantine", SPEC, *raw)
    assert (code, listed["records"]) == (0, len(expected))
    assert sum(kind["records"] for kind in listed["faults"]) >= len(expected)
    for kind in listed["faults"][:2]:
        uri = kind["example"]["object"]
        code, shown = answer_of(shop, lake, "quarantine", SPEC, "show", uri, *raw)
        [record] = shown["records"]
        assert (code, record["object"]) == (0, uri)
        assert kind["code"] in {fault["code"] for fault in record["faults"]}
        assert record["raw"].encode() == shop.sample.objects[uri.removeprefix(f"{copy}/")]


@pytest.fixture
def copy(shop: Shop, request: pytest.FixtureRequest) -> Iterator[str]:
    """The sample once more, below a prefix of the test's own; its URI."""
    prefix = f"copies/{request.node.name}"
    keys = [f"{prefix}/{key}" for key in shop.sample.objects]
    for key, body in zip(keys, shop.sample.objects.values(), strict=True):
        shop.client.put_object(Bucket="shop-raw", Key=key, Body=body)
    yield f"s3://shop-raw/{prefix}"
    for key in keys:
        shop.client.delete_object(Bucket="shop-raw", Key=key)


def put_mended(shop: Shop, raw: str) -> None:
    """Put the mended orders where the bad ones are."""
    for key, body in mended(shop.sample).objects.items():
        if body != shop.sample.objects[key]:
            place = f"{raw.removeprefix('s3://shop-raw/')}/{key}"
            shop.client.put_object(Bucket="shop-raw", Key=place, Body=body)


@pytest.mark.fault("H21")
def test_replay_of_mended_orders_gives_the_lake_of_a_sample_without_faults(shop: Shop, copy: str) -> None:
    """On S3: every record of the quarantine is removed, and each removal names the version it means."""
    raw = ("--param", f"raw={copy}")
    bad = len(oracle.expect(shop.sample).quarantined)
    code, report = answer_of(shop, "replay", "run", SPEC, *raw, "--all")
    assert (code, report["records"]["quarantined"]) == (0, bad)
    assert len(shop.lake("replay", "quarantine")) == bad

    put_mended(shop, copy)
    before = shop.proxy.calls.copy()
    code, answer = answer_of(shop, "replay", "replay", SPEC, *raw)
    calls = shop.proxy.calls - before
    assert (code, answer["records"]["found"], answer["records"]["removed"]) == (0, bad, bad)
    assert shop.lake("replay", "quarantine") == {}
    assert calls["s3:DeleteObject"] == bad
    expected = oracle.expect(mended(shop.sample))
    assert expected.quarantined == {}
    assert oracle_lake.compare(expected, oracle_lake.read_files(shop.lake("replay"))) == []

    lake = shop.lake("replay")
    code, answer = answer_of(shop, "replay", "replay", SPEC, *raw)
    assert (code, answer["records"]["found"], answer["run"]["objects"]["seen"]) == (0, 0, 0)
    assert shop.lake("replay") == lake


@pytest.mark.fault("H21")
def test_replay_on_folders_does_the_same(shop: Shop, tmp_path: Path) -> None:
    """Orders, items, rows and quarantine in folders; the other strands stay services."""
    write(shop.sample, tmp_path / "sample")
    folders = ("--param", f"raw={tmp_path}/sample", "--param", f"lake={tmp_path}/out")
    answer_of(shop, "unused", "run", SPEC, *folders, "--all")
    write(mended(shop.sample), tmp_path / "sample")
    code, answer = answer_of(shop, "unused", "replay", SPEC, *folders)
    bad = len(oracle.expect(shop.sample).quarantined)
    assert (code, answer["records"]["removed"]) == (0, bad)
    assert [*(tmp_path / "out" / "quarantine").rglob("*.json")] == []
    expected = oracle.expect(mended(shop.sample))
    assert oracle_lake.compare(expected, oracle_lake.read_lake(tmp_path / "out" / "extracted")) == []


@pytest.mark.fault("H1")
def test_a_mended_order_that_is_delivered_again_leaves_its_record_to_replay(shop: Shop, copy: str) -> None:
    """The queue brings the row; the old record stays until replay, which then changes no row."""
    key = f"{copy.removeprefix('s3://shop-raw/')}/{shop.sample.quirks['malformed'][0]}"
    environment = {"RAW": copy}
    shop.fork("again", [queue([key])], **environment)
    put_mended(shop, copy)
    shop.fork("again", [queue([key])], **environment)
    lake = shop.lake("again")
    assert (len(lake), len(shop.lake("again", "quarantine"))) == (1, 1)
    code, answer = answer_of(shop, "again", "replay", SPEC, "--param", f"raw={copy}")
    assert (code, answer["records"]["removed"]) == (0, 1)
    assert shop.lake("again", "quarantine") == {}
    assert shop.lake("again") == lake


@pytest.mark.parametrize("operation", ["s3:PutObject", "s3:DeleteObject"])
def test_what_is_refused_keeps_every_record(shop: Shop, copy: str, operation: str) -> None:
    """Rows that could not be put remove nothing; records that could not be removed are told as failed."""
    raw, lake = ("--param", f"raw={copy}"), f"refused-{operation[3:]}"
    answer_of(shop, lake, "run", SPEC, *raw, "--all")
    records = shop.lake(lake, "quarantine")
    put_mended(shop, copy)
    with Proxy(shop.sandbox.aws.endpoint) as proxy:
        proxy.on(1, "before", fail(403, DENIED), operation=operation, forever=True)
        code, answer = answer_of(replace(shop, proxy=proxy), lake, "replay", SPEC, *raw)
    assert code == 1
    assert answer["records"]["found"] == answer["records"]["failed"] == len(records)
    assert shop.lake(lake, "quarantine") == records
    code, answer = answer_of(shop, lake, "replay", SPEC, *raw)
    assert (code, answer["records"]["removed"]) == (0, len(records))
