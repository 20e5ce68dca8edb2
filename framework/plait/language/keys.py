"""The keys of the language: a closed struct for each block, from which schema, defaults and documentation derive."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import force_setattr

from plait.language.forms import Duration, Partition, Selector
from plait.language.steps import Steps, about
from plait.plugin import FolderPath, Options
from plait.values.places import Place  # noqa: TC001 - msgspec reads the annotations of the structs
from plait.values.types import Type


def _name(pattern: str, what: str, **more: Any) -> Meta:
    """What a name must look like."""
    return Meta(pattern=pattern, extra_json_schema={"patternErrorMessage": what, "code": "bad-name"}, **more)


_WORD, _SMALL = "^[A-Za-z_][A-Za-z0-9_]*$", "small letters, digits, `_` and `-`, a letter first"
ColumnName = Annotated[str, _name(_WORD, "a name of letters, digits and `_`", max_length=255)]
_LETTER_FIRST = (
    "a name of letters, digits and `_`, a letter first"  # readers pass over folders that begin with `_`
)
FolderName = Annotated[str, _name("^[A-Za-z][A-Za-z0-9_]*$", _LETTER_FIRST, max_length=255)]
ParameterName = Annotated[str, _name("^[A-Za-z_][A-Za-z0-9_-]*$", "a name of letters, digits, `_` and `-`")]
VariableName = Annotated[str, _name(_WORD, "the bare name of an environment variable")]
SpecName = Annotated[str, _name("^[a-z][a-z0-9_-]*$", _SMALL)]
NonEmpty = Annotated[str, Meta(min_length=1)]


class ParameterBlock(Options, frozen=True, kw_only=True):
    """What differs between environments."""

    env: Annotated[VariableName | None, about("environment variable that gives the value", "RAW")] = None
    default: Annotated[str | None, about("value where the environment gives none", "sample")] = None


class ColumnBlock(Options, frozen=True, kw_only=True):
    """An output column."""

    type: Annotated[Type, about("type of the column, as Athena and Glue spell it")]
    from_: Annotated[Selector | None, about("where the value stands in the record")] = field(
        name="from", default=None
    )
    required: Annotated[bool, about("null is a bad record")] = False
    default: Annotated[
        str | int | float | bool | list[Any] | dict[str, Any] | UnsetType, about("stands in for every null")
    ] = UNSET
    description: Annotated[
        str,
        about(
            "what the column says, in a line: its comment in the table", pattern=r"^[^\r\n]*$", max_length=255
        ),
    ] = ""


AnyColumn = Annotated[Type | ColumnBlock, about("its type, or a mapping with `type`")]


class RetryBlock(Options, frozen=True, kw_only=True):
    """No match yet: ask for redelivery while the driving object is young."""

    retry_for: Annotated[Duration, about("age of the driving object up to which to try again")]


JoinKeys = (
    NonEmpty
    | Annotated[
        list[Annotated[NonEmpty, about("the name of a column")]],
        Meta(min_length=1, extra_json_schema={"uniqueItems": True}),
    ]
    | Annotated[dict[str, Annotated[NonEmpty, about("the name of a field")]], Meta(min_length=1)]
)


class JoinBlock(Options, frozen=True, kw_only=True):
    """How a lookup's records join the row."""

    on: Annotated[JoinKeys, about("column to join on, a list of them, or `{column: field}`", "id")]
    shape: Annotated[Literal["columns", "list", "rows"], about("shape of the matches")] = field(
        name="as", default="columns"
    )
    missing: Annotated[
        Literal["keep", "drop", "fail"] | RetryBlock,
        about("no match: `keep`, `drop`, `fail`, or `{retry_for: 10m}`"),
    ] = "keep"
    duplicates: Annotated[Literal["fail", "first", "latest"], about("several matches where one is meant")] = (
        "fail"
    )


class WindowBlock(Options, frozen=True, kw_only=True):
    """Times near the row's own."""

    around: Annotated[str, about("timestamp column of the row", "ordered_at")]
    before: Annotated[Duration, about("how much earlier a record may be")]
    after: Annotated[Duration, about("how much later a record may be")]


class SourceBlock(Options, frozen=True, kw_only=True):
    """The keys that every source has, beside its connector's options."""

    connector: Annotated[str, about("the word of an installed connector", "json")]
    columns: Annotated[
        dict[ColumnName, AnyColumn] | None, about("each output column with its type", {"id": "string"})
    ] = None
    decode: Annotated[
        dict[Place, Steps] | None,
        about("a field, or a place within one, to decode steps", {"payload": ["base64", "json"]}),
    ] = None
    only: Annotated[
        dict[Place, Annotated[list[str | int | bool], Meta(min_length=1)]] | None,
        about(
            "the driving records to take: each place with the values that it may have",
            {"event_type": ["order", "refund"]},
        ),
    ] = None
    join: Annotated[
        JoinBlock | None, about("how records join the row; the driver has none", {"on": "id"})
    ] = None
    window: Annotated[
        WindowBlock | None,
        about("times near the row's own", {"around": "ordered_at", "before": "1h", "after": "1h"}),
    ] = None
    cache: Annotated[Duration | None, about("how long a warm process keeps answers")] = None
    optional: Annotated[bool, about("a document or header may have none of the fields that are taken")] = (
        False
    )


class SinkBlock(Options, frozen=True, kw_only=True):
    """The keys that every sink has, beside its connector's options."""

    connector: Annotated[str, about("word of an installed connector that can write")]
    conditional: Annotated[
        bool,
        about("whether a file of a newer version is never replaced; `false` for stores that cannot do so"),
    ] = True


class QuarantineBlock(Options, frozen=True, kw_only=True):
    """Where records that cannot become a row go."""

    path: Annotated[FolderPath, about("folder of the quarantine")]
    payload: Annotated[bool, about("whether the raw record goes along")] = True


class Deploy(Options, frozen=True, kw_only=True):
    """How the pipeline's function runs: what deployment reads."""

    memory: Annotated[int, about("megabytes of the function", ge=128, le=10_240)] = 1024
    timeout: Annotated[Duration, about("time limit of the function, at most 15m")] = Duration(minutes=5)
    trigger: Annotated[Literal["queue", "direct"], about("how events arrive")] = "queue"
    batch: Annotated[int, about("messages an invocation takes", ge=1, le=10_000)] = 10
    window: Annotated[Duration, about("how long a batch is collected, at least 1s for more than 10")] = (
        Duration(0)
    )
    max_concurrency: (
        Annotated[int, about("invocations at one time: none, or 2 to 1000", ge=2, le=1000)] | None
    ) = None

    def __post_init__(self) -> None:
        """Lambda's event source mapping takes more than ten messages only within a window."""
        if self.batch > 10:
            force_setattr(self, "window", max(self.window, timedelta(seconds=1)))


class Document(Options, frozen=True, kw_only=True):
    """One pipeline."""

    plait: Annotated[Literal[1], about("version of the language: 1", 1, code="unknown-version")]
    name: Annotated[SpecName, about(_SMALL, "orders")]
    sources: Annotated[
        dict[ColumnName, SourceBlock],
        about(
            "where the strands of a row come from",
            {"orders": {"connector": "json", "path": "s3://raw/orders/*.json"}},
            code="no-driver",
            min_length=1,
        ),
    ]
    sink: Annotated[SinkBlock, about("where rows go", {"connector": "parquet", "path": "s3://lake/orders/"})]
    description: Annotated[str, about("what a row is")] = ""
    parameters: Annotated[
        dict[ParameterName, Annotated[ParameterBlock, Meta(examples=[{"env": "RAW", "default": "sample"}])]]
        | None,
        about("what differs between environments", {"raw": {"env": "RAW", "default": "s3://raw"}}),
    ] = None
    partition_by: Annotated[
        dict[FolderName, Partition] | None,
        about("each partition column with what it is made of", {"date": "date(ordered_at)"}),
    ] = None
    quarantine: Annotated[
        FolderPath | QuarantineBlock | None, about("where records that cannot become a row go")
    ] = None
    deploy: Annotated[Deploy, about("read by `plait template` and `plait package`", {"trigger": "queue"})] = (
        Deploy()
    )
