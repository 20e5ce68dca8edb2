"""A case as values: what each source holds, and what is expected of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plait.language.source_map import KeyPath
    from plait.language.spec import Spec
    from plait.plugin import Record
    from plait.testing.cases.keys import ServiceFailure

FailureKind = Literal["quarantine", "retry", "failed"]
FAILURE_KINDS: tuple[FailureKind, ...] = ("quarantine", "retry", "failed")
CountName = Literal["dropped", "skipped", "gone"]
COUNT_NAMES: tuple[CountName, ...] = ("dropped", "skipped", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseObject:
    """An object of a source: its `data`, or its `record` if the source reads no bytes; with neither it is gone."""

    uri: str
    data: bytes | None = None
    record: Record | None = None
    modified: datetime | None = None
    etag: str | None = None
    fails: ServiceFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInputs:
    """What one source holds; if `records` is None, its connector reads `objects` itself."""

    objects: tuple[CaseObject, ...] = ()
    records: tuple[Record, ...] | None = None
    fails: ServiceFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a record or object became no row; in an expectation, a field that is None is not compared."""

    code: str | None = None
    message: str | None = None
    object: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOutcome:
    """What a run of a case gave, or must give.

    The values of `rows` have the columns' types; expected rows may name only some of the columns.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    findings: dict[FailureKind, list[Finding]] = field(
        default_factory=lambda: {kind: [] for kind in FAILURE_KINDS}
    )
    counts: dict[CountName, int] = field(default_factory=lambda: dict.fromkeys(COUNT_NAMES, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; `path` is its place in the file, `rows_path` that of its expected rows."""

    name: str
    path: KeyPath
    rows_path: KeyPath
    spec: Spec
    now: datetime
    inputs: Mapping[str, SourceInputs]
    expected: CaseOutcome
