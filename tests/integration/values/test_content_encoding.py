"""What lies in an object counts, not what its headers say of it."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from kit.connect import csv_lookup, json_driver
from plait.plugin import Item, Key

BOMB = gzip.compress(bytes(1 << 26))
ENCODINGS = ["gzip", "deflate", "br", "identity", "aws-chunked", "utf-8", "GZIP, gzip"]


@pytest.mark.fault("J12")
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("key", ["plain.json", "odd//plain.json"])
def test_an_object_is_read_as_its_bytes_whatever_its_content_encoding(
    s3: Any, key: str, encoding: str
) -> None:
    """Plain bytes are a row though they claim to be compressed; compressed ones are a bad record, and no bomb."""
    bodies = {key: b'{"id": 1}', f"{key}x": BOMB, f"{key}.csv": b"v\n1\n", f"{key}x.csv": BOMB}
    for name, body in bodies.items():
        s3.put_object(Bucket="shop", Key=name, Body=body, ContentEncoding=encoding)
    items = [Item(uri=f"s3://shop/{key}"), Item(uri=f"s3://shop/{key}x")]
    row, bad = json_driver("s3://shop/**").read(items)
    assert (row.fields, row.fault) == ({"id": 1}, None)
    assert (bad.fault.code, bad.raw) == ("object-too-large", b"")
    (bad_file,) = csv_lookup(f"s3://shop/{key}{{x}}.csv").fetch([Key(fields={"x": "x"})])
    assert "not UTF-8" in bad_file.fault.message
