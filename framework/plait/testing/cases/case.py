"""Cases as values: what each source holds, and what is expected of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plait.language.source_map import KeyPath, SourceMap
    from plait.language.spec import Spec
    from plait.plugin import Item, Missing, PlaitError, Record
    from plait.problems.problem import Problem

FAILURE_KINDS = ("quarantine", "retry", "failed")
COUNT_NAMES = ("dropped", "left_out", "skipped", "gone")
Outcome = dict[str, Any]
"""What a run of a case gave, or must give, by the keys of `expect`.

`rows` are mappings whose values have the columns' types. Each failure is a mapping of `code`, `message`, `help`, `object`.
What an expected row or failure does not name is not compared. The others are numbers.
"""


@dataclass(frozen=True, slots=True)
class CaseObject:
    """An object of a source, and what reading it gives: bytes, a record if the source reads no bytes, or a failure."""

    item: Item
    content: bytes | Record | Missing | PlaitError


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInputs:
    """What one source holds, or how it fails; if `records` is None, its connector reads `objects` itself."""

    objects: tuple[CaseObject, ...] = ()
    records: tuple[Record, ...] | PlaitError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; `path` is its place in the file, `rows_path` that of its expected rows."""

    name: str
    path: KeyPath
    rows_path: KeyPath
    spec: Spec
    now: datetime
    inputs: Mapping[str, SourceInputs]
    expected: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A spec and its file of cases, by their paths.

    `cases` are those without an error, `problems` those of both files, and `texts` their texts by path, in which secrets are masked. `source_map`
    is None if the cases cannot be read as YAML.
    """

    spec: str
    file: str
    texts: dict[str, str]
    source_map: SourceMap | None
    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """What the sources of a spec hold by name, from a file of cases; `source_map` is None if it is no YAML."""

    file: str
    text: str
    source_map: SourceMap | None
    inputs: Mapping[str, SourceInputs]
    problems: tuple[Problem, ...]
