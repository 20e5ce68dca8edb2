"""Records that cannot become a row: put into quarantine, one JSON document each under a name of its own, and read again."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, convert, to_builtins

from plait.engine.partition import file_name
from plait.engine.transform import item_of
from plait.plugin import GiveUp, PlaitError, Put, StoredObject
from plait.problems.errors import MAX_FAULTS
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.language.spec import Spec
    from plait.plugin import BadRecord, Item, Objects, Record

FORMAT_VERSION = 1
NO_QUARANTINE = "the spec has no `quarantine`"
FILE_NAME = re.compile(r"([0-9a-f]{32})(-[0-9a-f]{16})?\.json")


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a record; `source` is to blame, and `column` where it is one."""

    code: str
    source: str
    column: str | None = None
    message: str
    help: str | None


class QuarantinedRecord(Struct, frozen=True, kw_only=True):
    """A record in quarantine: `item` is its file there, `object` the driving object it is a record of.

    `modified` is the time of the driving object, and that of `item` when the record was put there. `raw` is the record as
    it came, where the spec has it kept and it was asked for.
    """

    item: Item
    object: str
    position: str
    modified: datetime | None
    faults: tuple[Fault, ...]
    more_faults: bool = False
    raw: bytes | None = None


def folder_of(spec: Spec) -> str:
    """The folder of a spec's quarantine, which ends in a slash."""
    assert spec.quarantine is not None  # noqa: S101 - asked only where the spec has one
    return normal_uri(spec.quarantine.path.rstrip("/") + "/")


def record_file_name(uri: str, position: str) -> str:
    """The name of a record's file; those of one object begin alike, as the object's files in the sink do."""
    suffix = f"-{hashlib.sha256(position.encode()).hexdigest()[:16]}" if position else ""
    return f"{file_name(uri)}{suffix}.json"


def object_stem(uri: str, folder: str) -> str | None:
    """How the names of one object's records begin; None for a file that cannot be a record."""
    match = FILE_NAME.fullmatch(uri.removeprefix(folder))
    return match[1] if match else None


def record_uri(record: Record, spec: Spec) -> str:
    """The URI of a record's file in quarantine."""
    return folder_of(spec) + record_file_name(item_of(record).uri, record.position)


def put_of(record: Record, error: BadRecord, spec: Spec) -> Put:
    """The quarantine file of a record, named by its object and its position within.

    A file that a newer version of the object left is never replaced.
    """
    assert spec.quarantine is not None  # noqa: S101 - asked only where the spec has one
    item = item_of(record)
    faults = [to_builtins(_fault(fault, spec)) for fault in error.faults[:MAX_FAULTS]]
    body = {
        "format_version": FORMAT_VERSION,
        **{key: faults[0][key] for key in ("code", "message", "help")},
        "pipeline": spec.name,
        "spec_digest": spec.digest,
        "source": faults[0]["source"],
        "object": item.uri,
        "etag": item.etag,
        "modified": _utc_text(item.modified) if item.modified else None,
        "position": record.position,
        "faults": faults,
        "more_faults": len(error.faults) > MAX_FAULTS,
        **(_payload(record.raw) if spec.quarantine.payload else {}),
    }
    data = json.dumps(body, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
    return Put(uri=record_uri(record, spec), data=data + b"\n", source=item)


def _fault(error: BadRecord, spec: Spec) -> Fault:
    assert spec.quarantine is not None  # noqa: S101 - asked only where the spec has one
    message = error.message if spec.quarantine.payload else error.bare
    source = error.source or spec.driver.name
    return Fault(code=error.code, source=source, column=error.column, message=message, help=error.help)


def _payload(data: bytes) -> dict[str, Any]:
    try:
        return {"raw": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(data).decode("ascii")}


def _raw(body: dict[str, Any]) -> bytes | None:
    if "raw_base64" in body:
        return base64.b64decode(body["raw_base64"])
    return body["raw"].encode() if "raw" in body else None


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_record(item: Item, data: bytes, spec: Spec, *, with_raw: bool = False) -> QuarantinedRecord | None:
    """Read a file of the quarantine; None if it is no record of this pipeline, or has another record's name."""
    try:
        body = json.loads(data)
        pipeline, uri, position = body["pipeline"], body["object"], body["position"]
        modified = datetime.fromisoformat(body["modified"]) if body["modified"] else None
        is_ours = pipeline == spec.name and body["format_version"] == FORMAT_VERSION
        if (
            not is_ours
            or uri != normal_uri(uri)
            or item.uri != folder_of(spec) + record_file_name(uri, position)
        ):
            return None
        return QuarantinedRecord(
            item=item,
            object=uri,
            position=position,
            modified=modified,
            faults=convert(body.get("faults") or [body], tuple[Fault, ...]),
            more_faults=body.get("more_faults") is True,
            raw=_raw(body) if with_raw else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def find_files(objects: Objects, spec: Spec, uri: str | None = None) -> Iterator[Item]:
    """The files in quarantine, those of one driving object together, or those of one alone."""
    try:
        yield from objects.list(folder_of(spec) + (file_name(normal_uri(uri)) if uri else ""))
    except GiveUp as error:
        if error.code != "no-folder":
            raise


def read_files(
    objects: Objects, items: Sequence[Item], spec: Spec, *, with_raw: bool = False
) -> Iterator[tuple[Item, QuarantinedRecord | PlaitError | None]]:
    """Read those files in quarantine that are still there: the record of each, None if it is none of this pipeline."""
    for item, answer in zip(items, objects.get([item.uri for item in items]), strict=True):
        if isinstance(answer, StoredObject):
            yield item, read_record(answer.item, answer.data, spec, with_raw=with_raw)
        elif isinstance(answer, PlaitError):
            yield item, answer
