"""Why a source gave no value: no record, or a record without it."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from msgspec import structs

from plait.engine.absence import meant
from plait.engine.answers import key_pairs, near_misses, raw_keys
from plait.engine.places import ABSENT, names_beside, values_at
from plait.language.forms import OBJECT_FACTS
from plait.language.spec import options_of_type
from plait.plugin import Key, LookupPath, Missing, PlaitError, Record, UnsafePathValue
from plait.problems.problem import excerpt
from plait.problems.suggest import nearest
from plait.values.decode import decode
from plait.values.lookup_path import path_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plait.engine.trace import TracingEngine
    from plait.language.spec import Column, Source

Cause = Literal[
    "null-in-source",
    "absent",
    "left-by-duplicates",
    "no-match",
    "inexact-key",
    "outside-window",
    "missing-object",
    "null-key",
]
CauseAndNote = tuple[Cause | None, str]  # a cause, and what else there is to say
FURTHER = timedelta(days=1)  # how far beyond a window a record is looked for


def key_of_row(source: Source, table: Any) -> dict[str, Any]:
    """The key that a row, the one of the table, asks a look-up for, by fields of the source."""
    return {field: table.column(column)[0].as_py() for column, field in key_pairs(source)}


def place_of(source: Source, key: Mapping[str, Any]) -> str:
    """The URI of a look-up's object, or the options of the spec that say where its records are, such as its table."""
    for path in options_of_type(source.options, LookupPath):
        with suppress(UnsafePathValue):
            return path.fill(key) or ""
    options = (
        (f.encode_name, getattr(source.options, f.name)) for f in structs.fields(source.options) if f.required
    )
    return ", ".join(
        f"{name}: {text}" for name, text in options if isinstance(text, str) and name != "secret"
    )


def cause_of_null(
    tracing: TracingEngine, source: Source, column: Column, table: Any, number: int
) -> CauseAndNote:
    """Why a record gave no value for a column; None if it gave one."""
    record = tracing.record(source, number)
    if column.origin in OBJECT_FACTS:
        is_known = table.column(column.name)[0].is_valid
        return (None, "") if is_known else ("null-in-source", "nobody knows it of this object")
    cause, names = _absence(source, column, record)
    note = ""
    if cause == "absent":
        near = meant(column, names, nearest)
        near = near or meant(column, _all_names(tracing, source, table, record), nearest)
        note = f"there is no {excerpt(column.origin)}" + (f", but {excerpt(near)}" if near else "")
    if cause and source.join and source.join.shape == "columns":
        matches = tracing.matches(source, table)
        if any(_absence(source, column, other)[0] is None for other in matches):
            note = f"the {source.join.duplicates} of {len(matches)} has none, another has a value"
            cause = "left-by-duplicates"
    return cause, note


def _all_names(tracing: TracingEngine, source: Source, table: Any, record: Record) -> set[str]:
    """The fields of a look-up's record, asked for once more without a choice of fields."""
    if not source.join or not tracing.numbering[source.name].is_real:
        return set()
    lookup = source.open_lookup(tracing.services.context(source.name, None))
    key = Key(fields=key_of_row(source, table), since=record.time, until=record.time)
    with suppress(PlaitError):
        answers = lookup.fetch([key])
        return {name for answer in answers if isinstance(answer, Record) for name in answer.fields}
    return set()


def cause_of_miss(tracing: TracingEngine, source: Source, table: Any) -> CauseAndNote:
    """Why a look-up has no record for a row."""
    values = {name: table.column(name)[0].as_py() for name in source.needed_columns}
    if null := next((name for name, value in values.items() if value is None), None):
        return "null-key", f"`{null}` is null, so nothing is asked"
    answers, counts = tracing.asked[source.name][1]  # type: ignore[misc]
    key = key_of_row(source, table)
    if tuple(key.values()) in answers.near_misses:
        return "inexact-key", f"the source has {_inexact(tracing, source, key)}"
    if options_of_type(source.options, LookupPath):
        uri = place_of(source, key)
        if not uri:
            return "null-key", "a value of the path is empty, so nothing is asked"
        if _is_missing(tracing, source, uri):
            return "missing-object", "there is no such object"
    if source.window and (time := _time_outside(tracing, source, table, values[source.window.column])):
        return "outside-window", f"there is one of {path_text(time)}; the window is from {source.window}"
    unread = f"; {counts.unread:,} of {counts.lines:,} lines are no record" if counts.unread else ""
    return "no-match", f"no record has this key{unread}"


def _inexact(tracing: TracingEngine, source: Source, key: Mapping[str, Any]) -> str:
    """The key of a record that looks like one that was asked for."""
    records, asked = tracing.numbering[source.name].records, tuple(key.values())
    like = next(raw for raw in raw_keys(records, [*key]) if near_misses([asked], [raw]))
    texts = [tuple(unicodedata.normalize("NFC", str(value)) for value in values) for values in (asked, like)]
    form = ", in another form of Unicode" if texts[0] == texts[1] else ""
    shown = (f"{name} = {excerpt(str(value))}" for name, value in zip(key, like, strict=True))
    return ", ".join(shown) + form


def _is_missing(tracing: TracingEngine, source: Source, uri: str) -> bool:
    """Whether an object is not there; of a source that something stands in for, nobody knows."""
    if not tracing.numbering[source.name].is_real:
        return False
    return any(isinstance(answer, Missing) for answer in tracing.services.objects.get([uri], 0))


def _time_outside(tracing: TracingEngine, source: Source, table: Any, centre: datetime) -> datetime | None:
    """The time nearest to a row's own, of the records with its key within a day of the window."""
    assert source.window is not None  # noqa: S101 - asked only where there is one
    before, after = source.window.before + FURTHER, source.window.after + FURTHER
    further = structs.replace(source, window=structs.replace(source.window, before=before, after=after))
    with suppress(PlaitError):
        types = {field.name: field.type for field in tracing.plan.fields}
        answers, _ = tracing.lookups.ask(further, table, types)
        times = [time for time in answers.times if time is not None]
        return min(times, key=lambda time: abs(time - centre), default=None)
    return None


def _absence(source: Source, column: Column, record: Record) -> tuple[Cause | None, set[str]]:
    """Why a record has no value for a column, None if it has one; of an absent one, the names that stand beside its place."""
    fields = decode(record.fields, source.decode)
    (value,) = values_at([fields], column.selector)
    if value is ABSENT:
        return "absent", names_beside([fields], column.selector)
    return (None if value is not None else "null-in-source"), set()
