"""Records that cannot become a row: one JSON document each, with why, under a name of the record's own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from plait.engine.files import file_name
from plait.plugin import Put
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from plait.language.spec import Spec
    from plait.plugin import BadRecord, Item, Record

FORMAT_VERSION = 1
NAME = re.compile(r"([0-9a-f]{32})(-[0-9a-f]{16})?\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRecord:
    """A record in quarantine: `item` is its file there, `object` the driving object it is a record of."""

    item: Item
    object: str
    modified: datetime | None
    code: str


def folder(spec: Spec) -> str:
    """The folder of a spec's quarantine, which ends in a slash."""
    assert spec.quarantine is not None  # noqa: S101 - asked only where the spec has one
    return normal_uri(spec.quarantine.path.rstrip("/") + "/")


def name(uri: str, position: str) -> str:
    """The name of a record's file; those of one object begin alike, as the object's files in the sink do."""
    within = f"-{hashlib.sha256(position.encode()).hexdigest()[:16]}" if position else ""
    return f"{file_name(uri)}{within}.json"


def stem(uri: str, within: str) -> str | None:
    """How the names of one object's records begin; None for a file that cannot be a record."""
    found = NAME.fullmatch(uri.removeprefix(within))
    return found[1] if found else None


def place(record: Record, spec: Spec) -> str:
    """The URI of a record's file in quarantine."""
    return folder(spec) + name(_object(record).uri, record.position)


def put(record: Record, error: BadRecord, spec: Spec) -> Put:
    """The quarantine file of a record, named by its object and its position within; a newer version's is never replaced."""
    assert spec.quarantine is not None  # noqa: S101 - asked only where the spec has one
    item = _object(record)
    body = {
        "format_version": FORMAT_VERSION,
        "code": error.code,
        "message": error.message if spec.quarantine.payload else error.bare,
        "help": error.help,
        "pipeline": spec.name,
        "spec_digest": spec.digest,
        "source": error.source or spec.driver.name,
        "object": item.uri,
        "etag": item.etag,
        "modified": _moment(item.modified) if item.modified else None,
        "position": record.position,
        **(_raw(record.raw) if spec.quarantine.payload else {}),
    }
    data = json.dumps(body, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    return Put(uri=place(record, spec), data=data + b"\n", source=item)


def _object(record: Record) -> Item:
    assert record.item is not None  # noqa: S101 - a driver names the item of each record
    return record.item


def _raw(data: bytes) -> dict[str, Any]:
    try:
        return {"raw": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(data).decode("ascii")}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read(item: Item, data: bytes, spec: Spec) -> QuarantinedRecord | None:
    """A file of the quarantine as a record of this pipeline; None where it is none, or under another's name."""
    try:
        body = json.loads(data)
        whose, uri, position = body["pipeline"], body["object"], body["position"]
        modified = datetime.fromisoformat(body["modified"]) if body["modified"] else None
        ours = whose == spec.name and body["format_version"] == FORMAT_VERSION
        if not ours or uri != normal_uri(uri) or item.uri != folder(spec) + name(uri, position):
            return None
        return QuarantinedRecord(item=item, object=uri, modified=modified, code=str(body["code"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
