"""Records in quarantine as text and as JSON."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from plait.cli.printing import plural
from plait.engine.quarantine import folder_of
from plait.language.yaml_reader import locate
from plait.problems.display import aligned
from plait.problems.problem import Problem, printable
from plait.problems.render import full

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plait.engine.quarantine import Fault, QuarantinedRecord
    from plait.language.spec import Column, Spec
    from plait.pipeline.pipeline import Pipeline

MAX_RECORDS = 10  # of an object, as text
MAX_CHARACTERS = 2_000  # of a record, as text


class FaultCount(Struct, kw_only=True):
    """How many records have a fault of one code and column, and one of them as an example.

    `oldest` and `newest` are the times when the first and the last of them were put into quarantine.
    """

    records: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    example: QuarantinedRecord
    message: str


Counts = dict[tuple[str, str, str | None], FaultCount]  # by code, source and column


def fault_counts(records: Iterable[QuarantinedRecord]) -> tuple[int, Counts]:
    """How many records there are, and their faults by code, source and column, the most frequent first."""
    counts: Counts = {}
    total = 0
    for record in records:
        total += 1
        put_at = record.item.modified
        for kind, fault in {(f.code, f.source, f.column): f for f in record.faults}.items():
            count = counts.setdefault(kind, FaultCount(example=record, message=fault.message))
            count.records += 1
            if put_at:
                count.oldest, count.newest = (
                    min(put_at, count.oldest or put_at),
                    max(put_at, count.newest or put_at),
                )
    return total, dict(sorted(counts.items(), key=lambda pair: (-pair[1].records, str(pair[0]))))


def list_document(spec: Spec, total: int, counts: Counts) -> dict[str, Any]:
    """The counts as JSON."""
    faults = [
        {
            "code": code,
            "source": source,
            "column": column,
            "records": count.records,
            "oldest": to_builtins(count.oldest),
            "newest": to_builtins(count.newest),
            "example": {
                "object": count.example.object,
                "position": count.example.position,
                "message": count.message,
            },
        }
        for (code, source, column), count in counts.items()
    ]
    return {"quarantine": folder_of(spec), "records": total, "faults": faults}


def list_text(spec: Spec, total: int, counts: Counts) -> str:
    """The counts as text."""
    title = f"{printable(folder_of(spec))}: {plural(total, 'record')}"
    if not total:
        return title
    header = ("code", "source", "column", "records", "oldest", "newest", "example")
    rows = [
        (
            *(code, source, column or "-", f"{count.records:,}"),
            *(_minute(count.oldest), _minute(count.newest)),
            " ".join(filter(None, (count.example.object, count.example.position))),
        )
        for (code, source, column), count in counts.items()
    ]
    return f"{title}\n\n{aligned([header, *rows])}"


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}" if moment else "-"


def record_document(spec: Spec, record: QuarantinedRecord) -> dict[str, Any]:
    """One record as JSON, each fault beside what the spec declares of its column."""
    raw: dict[str, str] = {}
    if record.raw is not None:
        try:
            raw = {"raw": record.raw.decode()}
        except UnicodeDecodeError:
            raw = {"raw_base64": base64.b64encode(record.raw).decode()}
    return {
        "object": record.object,
        "position": record.position,
        "modified": to_builtins(record.modified),
        "quarantined": to_builtins(record.item.modified),
        "file": record.item.uri,
        "faults": [{**to_builtins(fault), **_declared(spec, fault)} for fault in record.faults],
        "more_faults": record.more_faults,
        **raw,
    }


def record_text(pipeline: Pipeline, record: QuarantinedRecord) -> str:
    """One record as text: each fault at the column that refused the record, then the record as it came."""
    facts = [("object", record.object), ("position", record.position), ("modified", _minute(record.modified))]
    facts += [("quarantined", _minute(record.item.modified)), ("file", record.item.uri)]
    spec, problems = pipeline.spec, [_problem(pipeline, fault) for fault in record.faults]
    faults = full(problems, {spec.file: pipeline.text}, colour=True)
    more = "\nand more faults" if record.more_faults else ""
    return f"{aligned([fact for fact in facts if fact[1]])}\n\n{faults}{more}\n\n{_raw_text(record.raw)}"


def _problem(pipeline: Pipeline, fault: Fault) -> Problem:
    """A fault as a problem at its column, what is decoded, or else its source, in the spec."""
    source_map, _ = locate(pipeline.text, pipeline.spec.file)
    block = "decode" if fault.code == "bad-encoding" else "columns"
    place = ("sources", fault.source, *((block, fault.column) if fault.column else ()))
    declared = _declared(pipeline.spec, fault)
    return Problem(
        code=fault.code,
        message=fault.message,
        help=fault.help,
        note=f"it is `{declared['type']}`, from `{declared['from']}`" if declared else None,
        file=pipeline.spec.file,
        span=source_map.key_span(place) if source_map else None,
    )


def _declared(spec: Spec, fault: Fault) -> dict[str, str]:
    """The type of a fault's column and its place in the record, as the spec of today declares them."""
    columns = (
        column
        for source in (spec.driver, *spec.lookups)
        if source.name == fault.source
        for column in source.columns or ()
    )
    column: Column | None = next((column for column in columns if column.name == fault.column), None)
    return {"type": str(column.type), "from": column.origin} if column else {}


def _raw_text(raw: bytes | None) -> str:
    if raw is None:
        return "the record as it came was not kept: `payload: false`"
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"the record has {len(raw):,} bytes that are no text; `-o json` has them"
    shown = "\n".join(map(printable, text[:MAX_CHARACTERS].splitlines()))
    more = f"\n… {len(text) - MAX_CHARACTERS:,} more characters" if len(text) > MAX_CHARACTERS else ""
    return f"the record as it came:\n{shown}{more}"
