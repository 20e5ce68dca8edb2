"""The objects of an S3 Inventory, by its `manifest.json`.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html has its form; in CSV keys are URL-encoded.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from plait.backfill.state import read_object
from plait.plugin import GiveUp, Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.plugin import Objects

Row = dict[str, Any]


def read_inventory(manifest: bytes, objects: Objects) -> Iterator[Item]:
    """Yield the newest version of each object that an inventory lists; raises GiveUp, TryAgain."""
    try:
        document = json.loads(manifest)
        bucket = document["destinationBucket"].rpartition(":::")[2]
        read = {"CSV": _rows_of_csv, "Parquet": _rows_of_parquet}[document["fileFormat"]]
        names = [_name(name) for name in document["fileSchema"].split(",")]
        checksums = {f"s3://{bucket}/{file['key']}": file.get("MD5checksum") for file in document["files"]}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = "the manifest is none of an S3 Inventory in CSV or Parquet"
        help = "give the URI of a `manifest.json`, of an inventory that is written as CSV or Parquet"
        raise GiveUp(message, code="wrong-manifest", help=help) from error
    for uri, checksum in checksums.items():
        data = read_object(objects, uri)
        if data is None or checksum not in (None, "", hashlib.md5(data, usedforsecurity=False).hexdigest()):
            fault = "is gone" if data is None else "has other bytes than the manifest says"
            message = f"`{uri[:200]}`, which the manifest names, {fault}"
            raise GiveUp(message, code="wrong-manifest", help="take a later inventory")
        try:
            for row in read(data, names):
                if _is(row, "islatest", default=True) and not _is(row, "isdeletemarker", default=False):
                    yield _item(row)
        except (OSError, EOFError, zlib.error, csv.Error, ValueError, KeyError) as error:
            message = (
                f"`{uri[:200]}` is not an inventory's {document['fileFormat']} that has `Bucket` and `Key`"
            )
            raise GiveUp(message, code="wrong-manifest", help="take a later inventory") from error


def get_manifest(uri: str, objects: Objects) -> bytes:
    """The bytes of a manifest; raises GiveUp where it cannot be read."""
    data = read_object(objects, uri)
    if data is None:
        raise GiveUp(f"the manifest `{uri[:200]}` is not there", code="wrong-manifest", help="check its URI")
    return data


def _rows_of_csv(data: bytes, names: list[str]) -> Iterator[Row]:
    with io.TextIOWrapper(gzip.GzipFile(fileobj=io.BytesIO(data)), encoding="utf-8", newline="") as text:
        for cells in csv.reader(text):
            row = dict(zip(names, cells, strict=False))
            yield {**row, "key": unquote_plus(row["key"])}


def _rows_of_parquet(data: bytes, _names: list[str]) -> Iterator[Row]:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(io.BytesIO(data)).iter_batches():
        for row in batch.to_pylist():
            yield {_name(name): value for name, value in row.items()}


def _item(row: Row) -> Item:
    size, modified = row.get("size"), row.get("lastmodifieddate")
    if isinstance(modified, str) and modified:
        modified = datetime.fromisoformat(modified)
    if modified:
        modified = modified.astimezone(UTC) if modified.tzinfo else modified.replace(tzinfo=UTC)
    return Item(
        uri=f"s3://{row['bucket']}/{row['key']}",
        size=int(size) if size not in (None, "") else None,
        modified=modified or None,
        etag=row.get("etag") or None,
    )


def _is(row: Row, name: str, *, default: bool) -> bool:
    value = row.get(name)
    return default if value in (None, "") else str(value).lower() == "true"


def _name(name: str) -> str:
    """A column's name as both formats have it: `LastModifiedDate` and `last_modified_date` are one."""
    return name.strip().replace("_", "").lower()
