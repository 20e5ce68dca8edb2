"""A case as values: what each source holds, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plait.language.source_map import KeyPath
    from plait.language.spec import Spec
    from plait.plugin import Record
    from plait.testing.cases.keys import Trouble

FailureKind = Literal["quarantine", "retry", "failed"]
OUTCOMES: tuple[FailureKind, ...] = ("quarantine", "retry", "failed")
Count = Literal["dropped", "skipped", "gone"]
COUNTS: tuple[Count, ...] = ("dropped", "skipped", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """An object that is given: its `data`, or its `record` where the source reads no bytes, or neither."""

    uri: str
    data: bytes | None = None
    record: Record | None = None
    modified: datetime | None = None
    etag: str | None = None
    fails: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseInputs:
    """What one source holds; `records` None means that its connector reads `objects` itself."""

    objects: tuple[Object, ...] = ()
    records: tuple[Record, ...] | None = None
    fails: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a record or object became no row; in an expectation None is not compared."""

    code: str | None = None
    message: str | None = None
    object: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What comes of a case, or must; rows have values of the columns' types, of expected rows some columns."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    findings: dict[FailureKind, list[Finding]] = field(
        default_factory=lambda: {word: [] for word in OUTCOMES}
    )
    counts: dict[Count, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; `path` is its place in the file, `rows_path` that of its expected rows."""

    name: str
    path: KeyPath
    rows_path: KeyPath
    spec: Spec
    now: datetime
    given: Mapping[str, CaseInputs]
    expect: Outcomes
