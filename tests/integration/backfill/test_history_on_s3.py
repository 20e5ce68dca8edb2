"""A history on S3: its inventory as the list, and a log group that no longer keeps all of it."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import plait
from plait.backfill.backfill import Backfill, items_of
from plait.backfill.inventory import get_manifest, read_inventory
from plait.cli.main import main
from plait.engine.context import Services
from plait.plugin import GiveUp, Item, ObjectChanged, Put, StoredObject, Window, Written

if TYPE_CHECKING:
    from pathlib import Path

    from plait_sandbox.aws import LocalAws

JULY, AUGUST = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"
LISTED = [
    Item(uri="s3://shop/in/São 1+2.json", size=9, modified=JULY, etag="a"),
    Item(uri="s3://shop/in/b.json", size=7, modified=AUGUST, etag="b"),
]
SPEC = """
plait: 1
name: orders
sources:
  orders: {connector: json, path: "s3://shop/in/*.json", columns: {id: string, at: timestamp}}
  fraud:
    connector: cloudwatch_logs
    log_group: /kept
    pattern: "order {id} scored {score}"
    columns: {score: int}
    join: {on: id, duplicates: latest}
    window: {around: at, before: 1h, after: 1h}
sink: {connector: parquet, path: "s3://shop/out/"}
"""


def put_inventory(s3: Any, kind: str, data: bytes, schema: str = SCHEMA, checksum: str = "") -> str:
    manifest = {
        "sourceBucket": "shop",
        "destinationBucket": "arn:aws:s3:::shop",
        "fileFormat": kind,
        "fileSchema": schema,
        "files": [{"key": "inventory/data", "size": len(data), "MD5checksum": checksum}],
    }
    s3.put_object(Bucket="shop", Key="inventory/data", Body=data)
    s3.put_object(Bucket="shop", Key="inventory/manifest.json", Body=json.dumps(manifest))
    return "s3://shop/inventory/manifest.json"


def inventory_of_csv(s3: Any) -> str:
    """As S3 writes it: no header, each cell quoted, keys URL-encoded; an old version and a deleted object are in it."""
    lines = [
        '"shop","in/S%C3%A3o+1%2B2.json","v","true","false","9","2026-07-01T00:00:00.000Z","a"',
        '"shop","in/b.json","v","true","false","7","2026-08-01T00:00:00.000Z","b"',
        '"shop","in/b.json","u","false","false","6","2026-07-02T00:00:00.000Z","c"',
        '"shop","in/gone.json","w","true","true","","2026-08-01T00:00:00.000Z",""',
    ]
    return put_inventory(s3, "CSV", gzip.compress("\n".join(lines).encode()))


def inventory_of_parquet(s3: Any) -> str:
    rows = [
        {
            "bucket": "shop",
            "key": item.uri.removeprefix("s3://shop/"),
            "is_latest": True,
            "is_delete_marker": False,
            "size": item.size,
            "last_modified_date": item.modified,
            "e_tag": item.etag,
        }
        for item in LISTED
    ]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return put_inventory(s3, "Parquet", file.getvalue())


@pytest.mark.parametrize("inventory", [inventory_of_csv, inventory_of_parquet])
def test_an_inventory_lists_the_newest_version_of_each_object(s3: Any, inventory: Any) -> None:
    objects = Services().objects
    assert [*read_inventory(get_manifest(inventory(s3), objects), objects)] == LISTED


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"fileFormat": "ORC"}', '{"fileFormat": "CSV", "destinationBucket": 7}']
)
def test_what_is_no_manifest_is_told(text: str) -> None:
    with pytest.raises(GiveUp, match="none of an S3 Inventory in CSV or Parquet"):
        [*read_inventory(text.encode(), Services().objects)]


OF_KEYS = gzip.compress(b'"shop","in/b.json"\n')


def test_an_inventory_of_a_bucket_without_versions_has_empty_cells_of_them(s3: Any) -> None:
    lines = b'"shop","in/b.json","","","","7","2026-08-01T00:00:00.000Z","b"\n'
    objects, manifest = Services().objects, put_inventory(s3, "CSV", gzip.compress(lines))
    assert [*read_inventory(get_manifest(manifest, objects), objects)] == LISTED[1:]


DAMAGED = {
    "no-gzip": ("CSV", b'"shop","in/b.json"\n', "Bucket, Key"),
    "half-written": ("CSV", OF_KEYS[:-9], "Bucket, Key"),
    "no-key": ("CSV", OF_KEYS, "Bucket, Size"),
    "no-bucket": ("CSV", OF_KEYS, "Size, Key"),
    "short-line": ("CSV", gzip.compress(b'"shop"\n'), "Bucket, Key"),
    "no-size": ("CSV", gzip.compress(b'"shop","in/b.json","7 B"\n'), "Bucket, Key, Size"),
    "no-parquet": ("Parquet", b"PAR1", "message"),
}


@pytest.mark.parametrize(("kind", "data", "schema"), DAMAGED.values(), ids=DAMAGED)
def test_a_file_that_is_not_the_manifest_s_is_told(s3: Any, kind: str, data: bytes, schema: str) -> None:
    objects, manifest = Services().objects, put_inventory(s3, kind, data, schema)
    with pytest.raises(GiveUp, match=rf"inventory/data` is not an inventory's {kind}"):
        [*read_inventory(get_manifest(manifest, objects), objects)]


def test_a_file_with_other_bytes_than_its_checksum_s_is_told(s3: Any) -> None:
    objects, manifest = Services().objects, put_inventory(s3, "CSV", OF_KEYS, "Bucket, Key", "0" * 32)
    with pytest.raises(GiveUp, match="has other bytes than the manifest says"):
        [*read_inventory(get_manifest(manifest, objects), objects)]


def test_a_window_cuts_an_inventory(s3: Any, at_aws: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text(SPEC)
    objects = Services().objects
    items = read_inventory(get_manifest(inventory_of_csv(s3), objects), objects)
    backfill = Backfill(plait.load(tmp_path / "orders.yaml"), Window(since=AUGUST), items, "list")
    assert backfill.plan().objects == 1
    assert [item.uri for item in backfill.state.items(1)] == [LISTED[1].uri]


def test_an_inventory_without_an_object_of_the_driver_is_told(
    s3: Any, at_aws: LocalAws, tmp_path: Path
) -> None:
    (tmp_path / "orders.yaml").write_text(SPEC.replace("shop/in/", "shop/other/"))
    command = ["backfill", str(tmp_path / "orders.yaml"), "--manifest", inventory_of_csv(s3)]
    ended = CliRunner().invoke(main, command)
    assert "warning[no-objects]: the list has no object of `orders`" in ended.stdout
    assert ended.exit_code == 0


def test_a_log_group_that_does_not_keep_the_oldest_object_s_lines_is_told(
    s3: Any, at_aws: LocalAws, tmp_path: Path
) -> None:
    (tmp_path / "orders.yaml").write_text(SPEC)
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="/kept")
    backfill = Backfill(plait.load(tmp_path / "orders.yaml"), Window(), LISTED, "list")
    backfill.plan()
    backfill.require_kept()
    logs.put_retention_policy(logGroupName="/kept", retentionInDays=7)
    with pytest.raises(GiveUp, match="the history begins at 2026-07-01") as refused:
        backfill.require_kept()
    assert "--allow-missing fraud" in str(refused.value.help)
    assert "--since" in str(refused.value.help)
    backfill.require_kept(["fraud"])
    uris = Backfill(plait.load(tmp_path / "orders.yaml"), Window(), items_of([LISTED[1].uri]), "uris")
    uris.plan()
    with pytest.raises(GiveUp, match="the list does not say when its objects are from") as refused:
        uris.require_kept()
    assert refused.value.help == "go on without by `--allow-missing fraud`"
    logs.delete_log_group(logGroupName="/kept")
    logs.close()


@pytest.mark.parametrize("folder", ["s3://shop/markers", "here"])
def test_what_is_created_only_is_never_replaced(s3: Any, folder: str, tmp_path: Path) -> None:
    objects, uri = Services().objects, f"{folder if folder.startswith('s3:') else tmp_path}/done/00001.json"
    first, second = (objects.put([Put(uri=uri, data=data, creates=True)])[0] for data in (b"1", b"2"))
    assert isinstance(first, Written)
    assert isinstance(second, ObjectChanged)
    (stored,) = objects.get([uri])
    assert isinstance(stored, StoredObject)
    assert stored.data == b"1"
