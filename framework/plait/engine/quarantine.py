"""Records that cannot become a row: put into quarantine, a JSON file of an object's record or JSON Lines of its many, and read again."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, convert, to_builtins

from plait.engine.partition import file_name
from plait.engine.transform import item_of
from plait.plugin import GiveUp, PlaitError, Put, StoredObject
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.engine.transform import Batch
    from plait.language.spec import Spec
    from plait.plugin import BadRecord, Item, Objects, Record

FORMAT_VERSION = 1
NO_QUARANTINE = "the spec has no `quarantine`"
FILE_NAME = re.compile(r"([0-9a-f]{32})\.jsonl?")


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


def object_stem(uri: str, folder: str) -> str | None:
    """How the names of one object's files begin, here as in the sink; None for a file that cannot be of the quarantine."""
    match = FILE_NAME.fullmatch(uri.removeprefix(folder))
    return match[1] if match else None


def puts_of(batch: Batch, errors: Mapping[str, PlaitError], spec: Spec) -> Iterator[Put]:
    """The quarantine files of the objects of a batch that are done; one that a newer version of the object left is never replaced.

    Where an object may have many records, its file has all that are bad, one a line, and goes if there is none.
    """
    bad = [(batch.records[number], error) for number, error in batch.bad.items()]
    bad = [(record, error) for record, error in bad if item_of(record).uri not in errors]
    if not batch.position_word:
        for record, error in bad:
            yield Put(
                uri=_uri(item_of(record), spec, ".json"),
                data=_text(record, error, spec, 1),
                source=item_of(record),
            )
        return
    objects = {
        item.uri: item for item in (*batch.empty, *map(item_of, batch.records)) if item.uri not in errors
    }
    by_uri: dict[str, list[tuple[Record, BadRecord]]] = {uri: [] for uri in objects}
    for record, error in bad:
        by_uri[item_of(record).uri].append((record, error))
    for uri, of_object in by_uri.items():
        texts = [lines_of(of_object, spec)]
        if batch.held and batch.held.item.uri == uri:
            texts = batch.held.quarantined
        data = b"".join(texts)
        yield Put(uri=_uri(objects[uri], spec, ".jsonl"), data=data, removes=not data, source=objects[uri])


def lines_of(bad: Iterable[tuple[Record, BadRecord]], spec: Spec) -> bytes:
    """Bad records as JSON Lines."""
    return b"".join(_text(record, error, spec) for record, error in bad)


def _uri(item: Item, spec: Spec, suffix: str) -> str:
    return f"{folder_of(spec)}{file_name(item.uri)}{suffix}"


def _text(record: Record, error: BadRecord, spec: Spec, indent: int | None = None) -> bytes:
    """A bad record as a JSON document and a line break."""
    assert spec.quarantine is not None  # noqa: S101 - asked only where the spec has one
    item = item_of(record)
    faults = [to_builtins(_fault(fault, spec)) for fault in error.faults]
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
        "more_faults": error.has_more,
        **(_payload(record.raw) if spec.quarantine.payload else {}),
    }
    return json.dumps(body, ensure_ascii=False, indent=indent).encode("utf-8", "backslashreplace") + b"\n"


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


def texts_of(uri: str, data: bytes) -> list[bytes]:
    """The JSON documents of a file of the quarantine, one for each record."""
    return data.splitlines() if uri.endswith(".jsonl") else [data]


def read_records(item: Item, data: bytes, spec: Spec, *, with_raw: bool = False) -> list[QuarantinedRecord]:
    """The records of a file of the quarantine; none if one is not of this pipeline, or has another object's name."""
    records = [_read_record(item, text, spec, with_raw=with_raw) for text in texts_of(item.uri, data)]
    known = [record for record in records if record]
    return known if len(known) == len(records) else []


def _read_record(item: Item, data: bytes, spec: Spec, *, with_raw: bool) -> QuarantinedRecord | None:
    try:
        body = json.loads(data)
        pipeline, uri, position = body["pipeline"], body["object"], body["position"]
        modified = datetime.fromisoformat(body["modified"]) if body["modified"] else None
        is_ours = pipeline == spec.name and body["format_version"] == FORMAT_VERSION
        if not is_ours or uri != normal_uri(uri) or object_stem(item.uri, folder_of(spec)) != file_name(uri):
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
    """Read those files in quarantine that are still there: each record of them, None for a file that is none of this pipeline."""
    for item, answer in zip(items, objects.get([item.uri for item in items]), strict=True):
        if isinstance(answer, StoredObject):
            records = read_records(answer.item, answer.data, spec, with_raw=with_raw)
            yield from ((item, record) for record in records or (None,))
        elif isinstance(answer, PlaitError):
            yield item, answer
