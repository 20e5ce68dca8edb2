"""The keys of the language: a closed struct for each block, from which schema, defaults and documentation derive."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import force_setattr

from plait.language.forms import Duration, Partition, Selector
from plait.plugin import FolderPath, Options, Pattern
from plait.values.patterns import Expression  # noqa: TC001 - msgspec reads the annotations of the structs
from plait.values.types import Type  # noqa: TC001


def _name(pattern: str, what: str, **more: Any) -> Meta:
    """What a name must look like."""
    return Meta(pattern=pattern, extra_json_schema={"patternErrorMessage": what, "code": "bad-name"}, **more)


ColumnName = Annotated[
    str, _name("^[A-Za-z_][A-Za-z0-9_]*$", "a name of letters, digits and `_`", max_length=255)
]
ParameterName = Annotated[str, _name("^[A-Za-z_][A-Za-z0-9_-]*$", "a name of letters, digits, `_` and `-`")]
VariableName = Annotated[str, _name("^[A-Za-z_][A-Za-z0-9_]*$", "the bare name of an environment variable")]
SpecName = Annotated[str, _name("^[a-z][a-z0-9_-]*$", "small letters, digits, `_` and `-`, a letter first")]
NonEmpty = Annotated[str, Meta(min_length=1)]
StepWord = Annotated[Literal["base64", "json", "gzip"], Meta(extra_json_schema={"code": "unknown-step"})]


class ParameterBlock(Options, frozen=True, kw_only=True):
    """What differs between environments."""

    env: Annotated[
        VariableName | None, Meta(description="environment variable that gives the value", examples=["RAW"])
    ] = None
    default: Annotated[
        str | None, Meta(description="value where the environment gives none", examples=["sample"])
    ] = None


class ColumnBlock(Options, frozen=True, kw_only=True):
    """An output column."""

    type: Annotated[Type, Meta(description="type of the column, as Athena and Glue spell it")]
    from_: Annotated[Selector | None, Meta(description="where the value stands in the record")] = field(
        name="from", default=None
    )
    required: Annotated[bool, Meta(description="null is a bad record")] = False
    default: Annotated[
        str | int | float | bool | list[Any] | dict[str, Any] | UnsetType,
        Meta(description="stands in for every null"),
    ] = UNSET


class StepBlock(Options, frozen=True, kw_only=True):
    """A decode step with an argument: one of the keys."""

    json_schema: ClassVar[dict[str, Any]] = {
        "description": "a step with an argument; each step is an entry of its own",
        "minProperties": 1,
        "maxProperties": 1,
        "code": "wrong-step",
    }

    epoch: Annotated[
        Literal["s", "ms", "us"] | UnsetType,
        Meta(
            description="a number since 1970, in this unit, to a timestamp",
            extra_json_schema={"code": "wrong-step"},
        ),
    ] = UNSET
    pattern: Annotated[
        Pattern | UnsetType,
        Meta(description="text to fields: `{name}` is text without white space, `{name*}` and `*` any text"),
    ] = UNSET
    regex: Annotated[Expression | UnsetType, Meta(description="text to fields: its named groups")] = UNSET


class RetryBlock(Options, frozen=True, kw_only=True):
    """No match yet: ask for redelivery while the driving object is young."""

    retry_for: Annotated[Duration, Meta(description="age of the driving object up to which to try again")]


class JoinBlock(Options, frozen=True, kw_only=True):
    """How a lookup's records join the row."""

    on: Annotated[
        NonEmpty
        | Annotated[
            list[Annotated[NonEmpty, Meta(description="the name of a column")]],
            Meta(min_length=1, extra_json_schema={"uniqueItems": True}),
        ]
        | Annotated[
            dict[str, Annotated[NonEmpty, Meta(description="the name of a field")]], Meta(min_length=1)
        ],
        Meta(description="column to join on, a list of them, or `{column: field}`", examples=["id"]),
    ]
    shape: Annotated[Literal["columns", "list", "rows"], Meta(description="shape of the matches")] = field(
        name="as", default="columns"
    )
    missing: Annotated[
        Literal["keep", "drop", "fail"] | RetryBlock,
        Meta(description="no match: `keep`, `drop`, `fail`, or `{retry_for: 10m}`"),
    ] = "keep"
    duplicates: Annotated[
        Literal["fail", "first", "latest"], Meta(description="several matches where one is meant")
    ] = "fail"


class WindowBlock(Options, frozen=True, kw_only=True):
    """Times near the row's own."""

    around: Annotated[str, Meta(description="timestamp column of the row", examples=["ordered_at"])]
    before: Annotated[Duration, Meta(description="how much earlier a record may be")]
    after: Annotated[Duration, Meta(description="how much later a record may be")]


class SourceBlock(Options, frozen=True, kw_only=True):
    """The keys that every source has, beside its connector's options."""

    connector: Annotated[str, Meta(description="the word of an installed connector", examples=["json"])]
    columns: Annotated[
        dict[
            ColumnName, Annotated[Type | ColumnBlock, Meta(description="its type, or a mapping with `type`")]
        ]
        | None,
        Meta(description="each output column with its type", examples=[{"id": "string"}]),
    ] = None
    decode: Annotated[
        dict[
            str,
            Annotated[
                list[
                    Annotated[
                        StepWord | StepBlock,
                        Meta(
                            description="`base64`, `json`, `gzip`, `{epoch: s}`, `{pattern: …}` or `{regex: …}`"
                        ),
                    ]
                ],
                Meta(
                    min_length=1,
                    description="the steps of a field, one after the other",
                    examples=[["base64", "json"]],
                    extra_json_schema={"code": "wrong-step"},
                ),
            ],
        ]
        | None,
        Meta(description="field to decode steps", examples=[{"payload": ["base64", "json"]}]),
    ] = None
    join: Annotated[
        JoinBlock | None,
        Meta(description="how records join the row; the driver has none", examples=[{"on": "id"}]),
    ] = None
    window: Annotated[
        WindowBlock | None,
        Meta(
            description="times near the row's own",
            examples=[{"around": "ordered_at", "before": "1h", "after": "1h"}],
        ),
    ] = None
    cache: Annotated[Duration | None, Meta(description="how long a warm process keeps answers")] = None


class SinkBlock(Options, frozen=True, kw_only=True):
    """The key that every sink has, beside its connector's options."""

    connector: Annotated[str, Meta(description="word of an installed connector that can write")]


class QuarantineBlock(Options, frozen=True, kw_only=True):
    """Where records that cannot become a row go."""

    path: Annotated[FolderPath, Meta(description="folder of the quarantine")]
    payload: Annotated[bool, Meta(description="whether the raw record goes along")] = True


class Deploy(Options, frozen=True, kw_only=True):
    """How the pipeline's function runs: what deployment reads."""

    memory: Annotated[int, Meta(description="megabytes of the function", ge=128, le=10_240)] = 1024
    timeout: Annotated[Duration, Meta(description="time limit of the function, at most 15m")] = Duration(
        minutes=5
    )
    trigger: Annotated[Literal["queue", "direct"], Meta(description="how events arrive")] = "queue"
    batch: Annotated[int, Meta(description="messages an invocation takes", ge=1, le=10_000)] = 10
    window: Annotated[
        Duration, Meta(description="how long a batch is collected, at least 1s for more than 10")
    ] = Duration(0)
    max_concurrency: (
        Annotated[int, Meta(description="invocations at one time: none, or 2 to 1000", ge=2, le=1000)] | None
    ) = None

    def __post_init__(self) -> None:
        """Lambda's event source mapping takes more than ten messages only within a window."""
        if self.batch > 10:
            force_setattr(self, "window", max(self.window, timedelta(seconds=1)))


class Document(Options, frozen=True, kw_only=True):
    """One pipeline."""

    plait: Annotated[
        Literal[1],
        Meta(
            description="version of the language: 1",
            examples=[1],
            extra_json_schema={"code": "unknown-version"},
        ),
    ]
    name: Annotated[
        SpecName,
        Meta(description="small letters, digits, `_` and `-`, a letter first", examples=["orders"]),
    ]
    sources: Annotated[
        dict[ColumnName, SourceBlock],
        Meta(
            min_length=1,
            description="where the strands of a row come from",
            extra_json_schema={"code": "no-driver"},
            examples=[{"orders": {"connector": "json", "path": "s3://raw/orders/*.json"}}],
        ),
    ]
    sink: Annotated[
        SinkBlock,
        Meta(description="where rows go", examples=[{"connector": "parquet", "path": "s3://lake/orders/"}]),
    ]
    description: Annotated[str, Meta(description="what a row is")] = ""
    parameters: Annotated[
        dict[ParameterName, Annotated[ParameterBlock, Meta(examples=[{"env": "RAW", "default": "sample"}])]]
        | None,
        Meta(
            description="what differs between environments",
            examples=[{"raw": {"env": "RAW", "default": "s3://raw"}}],
        ),
    ] = None
    partition_by: Annotated[
        dict[ColumnName, Partition] | None,
        Meta(
            description="each partition column with what it is made of",
            examples=[{"date": "date(ordered_at)"}],
        ),
    ] = None
    quarantine: Annotated[
        FolderPath | QuarantineBlock | None, Meta(description="where records that cannot become a row go")
    ] = None
    deploy: Annotated[
        Deploy,
        Meta(description="read by `plait template` and `plait package`", examples=[{"trigger": "queue"}]),
    ] = Deploy()
