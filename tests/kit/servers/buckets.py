"""Buckets of the stand-in for S3: made for a test, read as a whole, and taken away with what is in them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def buckets(client: Any, *names: str) -> Iterator[None]:
    """Have these buckets, which are empty at first."""
    for name in names:
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield
    for name in names:
        for key in _keys(client, name, ""):
            client.delete_object(Bucket=name, Key=key)
        client.delete_bucket(Bucket=name)


def contents(client: Any, bucket: str, prefix: str = "") -> dict[str, bytes]:
    """All objects of a bucket below a prefix, by their keys."""
    keys = _keys(client, bucket, prefix)
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _keys(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (entry["Key"] for entry in page.get("Contents", ()))
