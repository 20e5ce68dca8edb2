"""The frozen spec: what one YAML file says, with every reference resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from plait.language.durations import spell_duration
from plait.language.selectors import OBJECT_FACTS
from plait.values.paths import DriverPath

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.plugin import Connector
    from plait.values.decode import Step
    from plait.values.types import Type

JoinShape = Literal["columns", "list", "rows"]
MissingRule = Literal["keep", "drop", "fail", "retry"]
DuplicatesRule = Literal["fail", "first", "latest"]
LONGEST_WAIT = timedelta(days=13)  # a queue keeps messages for 14 days


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An output column: its type, and the place of its value in the source's record."""

    name: str
    type: Type
    origin: str
    selector: tuple[str | int, ...]
    required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """How records of a lookup meet the row; `on` pairs a column of the row with a field of the source."""

    on: tuple[tuple[str, str], ...]
    shape: JoinShape = "columns"
    missing: MissingRule = "keep"
    retry_for: timedelta | None = None
    duplicates: DuplicatesRule = "fail"

    @property
    def pairs(self) -> str:
        """The columns and fields that must be equal, each name once where both have it."""
        return ", ".join(left if left == right else f"{left} = {right}" for left, right in self.on)

    @property
    def miss(self) -> str:
        """What no match means, as a spec spells it."""
        return f"{{retry_for: {spell_duration(self.retry_for)}}}" if self.retry_for else self.missing

    def __str__(self) -> str:
        """The join in a line, without what is so by default."""
        shape = "" if self.shape == "columns" else f", as {self.shape}"
        missing = "" if self.missing == "keep" else f", missing: {self.miss}"
        several = "" if self.duplicates == "fail" else f", duplicates: {self.duplicates}"
        return f"on {self.pairs}{shape}{missing}{several}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """A record joins a row only if its time lies this near the row's own column."""

    column: str
    before: timedelta
    after: timedelta

    def __str__(self) -> str:
        """The window in a line."""
        return f"{spell_duration(self.before)} before {self.column} to {spell_duration(self.after)} after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One block of `sources`; `columns` None means that the fields found are taken as they are."""

    name: str
    connector: Connector
    options: Any
    columns: tuple[Column, ...] | None
    decode: Mapping[str, tuple[Step, ...]]
    join: Join | None = None
    window: Around | None = None
    cache: timedelta | None = None

    @property
    def gives(self) -> tuple[str, ...]:
        """The output columns that this source brings, as far as the spec tells."""
        if self.join and self.join.shape == "list":
            return (self.name,)
        return tuple(column.name for column in self.columns or ())

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns of the row that this lookup is asked by."""
        named = [left for left, _ in self.join.on] if self.join else []
        named += self.connector.row_columns(self.options) if self.join else []
        named += [self.window.column] if self.window else []
        return tuple(dict.fromkeys(named))

    @property
    def fields(self) -> tuple[str, ...] | None:
        """The top-level fields that the spec takes of each record; None means all."""
        if self.columns is None:
            return None
        taken = [str(c.selector[0]) for c in self.columns if c.origin not in OBJECT_FACTS]
        keys = [right for _, right in self.join.on] if self.join else []
        return tuple(dict.fromkeys([*taken, *keys]))

    @property
    def buckets(self) -> tuple[str, ...]:
        """The buckets on S3 that a driver reads, as far as its paths tell."""
        values = [getattr(self.options, name) for name in self.options.__struct_fields__]
        return tuple(dict.fromkeys(v.bucket for v in values if isinstance(v, DriverPath) and v.bucket))


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition column: a function of one output column."""

    name: str
    function: Literal["date", "month", "hour", "bucket", "column"]
    column: str
    zone: str = "UTC"
    buckets: int = 0

    def __str__(self) -> str:
        """The function as a spec spells it."""
        if self.function == "column":
            return self.column
        if self.function == "bucket":
            return f"bucket({self.buckets}, {self.column})"
        zone = "" if self.zone == "UTC" else f", {self.zone}"
        return f"{self.function}({self.column}{zone})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The sink's connector and its options."""

    connector: Connector
    options: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Where records that cannot become a row go; `payload` says whether the raw record goes along."""

    path: str
    payload: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """How the pipeline's function runs: memory in MB, messages a batch, how many invocations at one time."""

    memory: int = 1024
    timeout: timedelta = timedelta(minutes=5)
    trigger: Literal["queue", "direct"] = "queue"
    batch: int = 10
    window: timedelta = timedelta(0)
    max_concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One pipeline.

    `digest` is the SHA-256 of the spec's values before parameters, as hexadecimal text. `variables` names the
    environment variable of each parameter that has one.
    """

    name: str
    description: str
    file: str
    digest: str
    parameters: Mapping[str, str]
    unset: tuple[str, ...]
    driver: Source
    lookups: tuple[Source, ...]
    order: tuple[str, ...]
    partition_by: tuple[Partition, ...]
    sink: Target
    quarantine: Quarantine | None
    variables: Mapping[str, str] = field(default_factory=dict)
    deploy: Deploy = Deploy()

    @property
    def blocks(self) -> tuple[Source | Target, ...]:
        """Every block with a connector."""
        return (self.driver, *self.lookups, self.sink)

    def source(self, name: str) -> Source:
        """The source of this name; raises KeyError."""
        return next(s for s in (self.driver, *self.lookups) if s.name == name)
