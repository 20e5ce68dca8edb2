"""The keys of the language, each block a closed struct; schema, defaults and docs derive from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from msgspec import UNSET, Meta, UnsetType, field

from plait import types
from plait.api import FolderPath, Options, Pattern
from plait.spec import OBJECT_FACTS, parse_duration, parse_selector


class Duration(timedelta):
    """A length of time such as `90s`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `90s`, `15m`, `2h` or `7d`."""
        return cls(seconds=parse_duration(text).total_seconds())


@dataclass(frozen=True, slots=True)
class TypeWord:
    """A type such as `decimal(12,2)`."""

    kind: types.Type

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a type word."""
        return cls(types.parse(text))


@dataclass(frozen=True, slots=True)
class Selector:
    """A place in a record such as `a.b[0]`, or a fact about the driving object such as `$modified`."""

    text: str
    steps: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a place in a record."""
        if text.startswith("$"):
            if text not in OBJECT_FACTS:
                raise ValueError(f"`{text[:40]}` is none of `$object`, `$modified`, `$etag`")
            return cls(text, (text,))
        return cls(text, parse_selector(text))


class ParameterBlock(Options, frozen=True, kw_only=True):
    """What differs between environments."""

    env: Annotated[str, Meta(description="environment variable that gives the value")] | None = None
    default: Annotated[str, Meta(description="value where the environment gives none")] | None = None


class ColumnBlock(Options, frozen=True, kw_only=True):
    """An output column."""

    type: Annotated[TypeWord, Meta(description="type of the column, as Athena and Glue spell it")]
    from_: Annotated[Selector, Meta(description="where the value stands in the record")] | None = field(
        name="from", default=None
    )
    required: Annotated[bool, Meta(description="null is a bad record")] = False
    default: Annotated[Any, Meta(description="stands in for every null")] = UNSET


class RetryBlock(Options, frozen=True, kw_only=True):
    """No match yet: ask for redelivery while the driving object is young."""

    retry_for: Annotated[Duration, Meta(description="age of the driving object up to which to try again")]


class JoinBlock(Options, frozen=True, kw_only=True):
    """How a lookup's records join the row."""

    on: Annotated[Any, Meta(description="column to join on, a list of them, or `{column: field}`")]
    as_: Annotated[Literal["columns", "list", "rows"], Meta(description="shape of the matches")] = field(
        name="as", default="columns"
    )
    missing: Annotated[Any, Meta(description="no match: keep, drop, fail, or {retry_for: 10m}")] = "keep"
    duplicates: Annotated[
        Literal["fail", "first", "latest"], Meta(description="several matches where one is meant")
    ] = "fail"


class WindowBlock(Options, frozen=True, kw_only=True):
    """Times near the row's own."""

    around: Annotated[str, Meta(description="timestamp column of the row")]
    before: Annotated[Duration, Meta(description="how much earlier a record may be")]
    after: Annotated[Duration, Meta(description="how much later a record may be")]


class SourceBlock(Options, frozen=True, kw_only=True):
    """The keys that every source has, beside its connector's options."""

    connector: Annotated[str, Meta(description="word of an installed connector")]
    columns: Annotated[dict[str, Any], Meta(description="output column to type or block")] | None = None
    decode: Annotated[dict[str, list[Any]], Meta(description="field to decode steps")] | None = None
    join: Annotated[Any, Meta(description="how records join the row; the driver has none")] = None
    window: Annotated[Any, Meta(description="times near the row's own")] = None
    cache: Annotated[Duration, Meta(description="how long a warm process keeps answers")] | None = None


class QuarantineBlock(Options, frozen=True, kw_only=True):
    """Where records that cannot become a row go."""

    path: Annotated[FolderPath, Meta(description="folder of the quarantine")]
    payload: Annotated[bool, Meta(description="whether the raw record goes along")] = True


class DeployBlock(Options, frozen=True, kw_only=True):
    """What deployment reads."""

    memory: Annotated[int, Meta(description="megabytes of the function")] | UnsetType = UNSET
    timeout: Annotated[Duration, Meta(description="time limit of the function")] | UnsetType = UNSET
    trigger: Annotated[Literal["queue", "direct"], Meta(description="how events arrive")] = "queue"
    batch: Annotated[int, Meta(description="messages an invocation takes")] | UnsetType = UNSET
    window: Annotated[Duration, Meta(description="how long a batch is collected")] | UnsetType = UNSET


class Document(Options, frozen=True, kw_only=True):
    """One pipeline."""

    plait: Annotated[Literal[1], Meta(description="version of the language: 1")]
    name: Annotated[str, Meta(description="name of the pipeline", pattern="^[a-z][a-z0-9_-]*$")]
    sources: Annotated[dict[str, Any], Meta(description="where the strands of a row come from")]
    sink: Annotated[Any, Meta(description="where rows go")]
    description: Annotated[str, Meta(description="what a row is")] = ""
    parameters: Annotated[dict[str, Any], Meta(description="what differs between environments")] | None = None
    partition_by: Annotated[dict[str, str], Meta(description="partition columns")] | None = None
    quarantine: Annotated[Any, Meta(description="where records that cannot become a row go")] = None
    deploy: Annotated[Any, Meta(description="read by `plait template` and `plait package`")] = None


STEPS_WITH_ARGUMENT: dict[str, type] = {"epoch": str, "pattern": Pattern, "regex": str}
STEPS = ("base64", "json", "gzip", *STEPS_WITH_ARGUMENT)
