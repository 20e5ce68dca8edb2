"""Records that cannot become a row: one JSON document each, with why."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from plait.api import Put
from plait.write import file_name

if TYPE_CHECKING:
    from plait.api import BadRecord, Record
    from plait.spec import Spec


def put(record: Record, error: BadRecord, spec: Spec) -> Put:
    """The quarantine file of a record, named by its object and its position within."""
    assert spec.quarantine is not None  # noqa: S101 - asked only where the spec has one
    item = record.item
    uri = item.uri if item else ""
    name = file_name(f"{uri}#{record.position}")
    body = {
        "code": error.code,
        "message": error.message,
        "help": error.help,
        "pipeline": spec.name,
        "spec_digest": spec.digest,
        "source": spec.driver.name,
        "object": uri,
        "etag": item.etag if item else None,
        "position": record.position,
        **(_raw(record.raw) if spec.quarantine.payload else {}),
    }
    folder = spec.quarantine.path.rstrip("/")
    data = json.dumps(body, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    return Put(uri=f"{folder}/{name}.json", data=data + b"\n")


def _raw(data: bytes) -> dict[str, Any]:
    try:
        return {"raw": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(data).decode("ascii")}
