"""A bucket, and the storage that counts its calls."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from plait.storage.objects import Storage

if TYPE_CHECKING:
    from plait_sandbox.aws import LocalAws


@pytest.fixture
def s3(at_aws: LocalAws) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="shop"):
        for entry in page.get("Contents", ()):
            client.delete_object(Bucket="shop", Key=entry["Key"])
    client.delete_bucket(Bucket="shop")
    client.close()


@pytest.fixture
def calls() -> Any:
    return Counter()


@pytest.fixture
def storage(calls: Counter[str]) -> Any:
    return Storage(lambda operation, n: calls.update({operation: n}))
