"""The keys of the language: a closed struct for each block, from which schema, defaults and documentation derive."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from plait.language.column_keys import ColumnBlock, ColumnName, Form, StepBlock, StepWord, TypeWord
from plait.language.durations import Duration  # noqa: TC001 - msgspec reads the annotations of the structs
from plait.plugin import FolderPath, Options

ParameterName = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z_][A-Za-z0-9_-]*$",
        extra_json_schema={"patternErrorMessage": "name of letters, digits, `_` and `-`"},
    ),
]


class ParameterBlock(Options, frozen=True, kw_only=True):
    """What differs between environments."""

    env: (
        Annotated[
            str,
            Meta(
                description="environment variable that gives the value",
                examples=["RAW"],
                extra_json_schema={
                    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                    "patternErrorMessage": "the bare name of an environment variable",
                    "format": "variable",
                },
            ),
        ]
        | None
    ) = None
    default: (
        Annotated[str, Meta(description="value where the environment gives none", examples=["sample"])] | None
    ) = None


class RetryBlock(Options, frozen=True, kw_only=True):
    """No match yet: ask for redelivery while the driving object is young."""

    retry_for: Annotated[Duration, Meta(description="age of the driving object up to which to try again")]


class JoinBlock(Options, frozen=True, kw_only=True):
    """How a lookup's records join the row."""

    on: Annotated[
        Any,
        Form(
            Annotated[str, Meta(min_length=1)]
            | Annotated[
                list[Annotated[str, Meta(min_length=1, description="the name of a column")]],
                Meta(min_length=1, extra_json_schema={"uniqueItems": True}),
            ]
            | Annotated[
                dict[str, Annotated[str, Meta(min_length=1, description="the name of a field")]],
                Meta(min_length=1),
            ]
        ),
        Meta(description="column to join on, a list of them, or `{column: field}`", examples=["id"]),
    ]
    as_: Annotated[Literal["columns", "list", "rows"], Meta(description="shape of the matches")] = field(
        name="as", default="columns"
    )
    missing: Annotated[
        Any,
        Form(Literal["keep", "drop", "fail"] | RetryBlock),
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
    columns: (
        Annotated[
            dict[
                ColumnName,
                Annotated[
                    Any, Form(TypeWord | ColumnBlock), Meta(description="its type, or a mapping with `type`")
                ],
            ],
            Meta(description="each output column with its type", examples=[{"id": "string"}]),
        ]
        | None
    ) = None
    decode: (
        Annotated[
            dict[
                str,
                Annotated[
                    list[Annotated[Any, Form(StepWord | StepBlock)]],
                    Meta(
                        min_length=1,
                        description="the steps of a field, one after the other",
                        examples=[["base64", "json"]],
                        extra_json_schema={"code": "wrong-step"},
                    ),
                ],
            ],
            Meta(description="field to decode steps", examples=[{"payload": ["base64", "json"]}]),
        ]
        | None
    ) = None
    join: Annotated[
        Any,
        Form(JoinBlock),
        Meta(description="how records join the row; the driver has none", examples=[{"on": "id"}]),
    ] = None
    window: Annotated[
        Any,
        Form(WindowBlock),
        Meta(
            description="times near the row's own",
            examples=[{"around": "ordered_at", "before": "1h", "after": "1h"}],
        ),
    ] = None
    cache: Annotated[Duration, Meta(description="how long a warm process keeps answers")] | None = None


class SinkBlock(Options, frozen=True, kw_only=True):
    """The key that every sink has, beside its connector's options."""

    connector: Annotated[str, Meta(description="word of an installed connector that can write")]


class QuarantineBlock(Options, frozen=True, kw_only=True):
    """Where records that cannot become a row go."""

    path: Annotated[FolderPath, Meta(description="folder of the quarantine")]
    payload: Annotated[bool, Meta(description="whether the raw record goes along")] = True


class DeployBlock(Options, frozen=True, kw_only=True):
    """What deployment reads."""

    memory: Annotated[int, Meta(description="megabytes of the function", ge=128, le=10_240)] = 1024
    timeout: Annotated[Duration, Meta(description="time limit of the function: 5m, at most 15m")] | None = (
        None
    )
    trigger: Annotated[Literal["queue", "direct"], Meta(description="how events arrive")] = "queue"
    batch: Annotated[int, Meta(description="messages an invocation takes", ge=1, le=10_000)] = 10
    window: (
        Annotated[Duration, Meta(description="how long a batch is collected: 0s, or 1s for more than 10")]
        | None
    ) = None
    max_concurrency: (
        Annotated[int, Meta(description="invocations at one time: none, or 2 to 1000", ge=2, le=1000)] | None
    ) = None


PARTITION_SCHEMA = {
    "format": "partition",
    "pattern": r"^(?:date|month|hour)\([^,]+(?:,[^,]+)?\)$|^bucket\(\s*[0-9]+\s*,[^,]+\)$|^[^()]+$",
    "patternErrorMessage": "write `date(c)`, `month(c)`, `hour(c)`, `date(c, Europe/Madrid)`, `bucket(n, c)` or `c`",
    "examples": ["date(ordered_at)", "month(ordered_at)", "hour(ordered_at)", "bucket(16, customer_id)"],
}


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
        str,
        Meta(
            description="small letters, digits, `_` and `-`, a letter first",
            pattern="^[a-z][a-z0-9_-]*$",
            examples=["orders"],
            extra_json_schema={"patternErrorMessage": "small letters, digits, `_` and `-`, a letter first"},
        ),
    ]
    sources: Annotated[
        dict[ColumnName, Annotated[Any, Form(SourceBlock)]],
        Meta(
            description="where the strands of a row come from",
            examples=[{"orders": {"connector": "json", "path": "s3://raw/orders/*.json"}}],
        ),
    ]
    sink: Annotated[
        Any,
        Form(SinkBlock),
        Meta(description="where rows go", examples=[{"connector": "parquet", "path": "s3://lake/orders/"}]),
    ]
    description: Annotated[str, Meta(description="what a row is")] = ""
    parameters: (
        Annotated[
            dict[ParameterName, Annotated[Any, Form(ParameterBlock)]],
            Meta(
                description="what differs between environments",
                examples=[{"raw": {"env": "RAW", "default": "s3://raw"}}],
            ),
        ]
        | None
    ) = None
    partition_by: (
        Annotated[
            dict[ColumnName, Annotated[str, Meta(extra_json_schema=PARTITION_SCHEMA)]],
            Meta(
                description="each partition column with what it is made of",
                examples=[{"date": "date(ordered_at)"}],
            ),
        ]
        | None
    ) = None
    quarantine: Annotated[
        Any,
        Form(FolderPath | QuarantineBlock),
        Meta(description="where records that cannot become a row go"),
    ] = None
    deploy: Annotated[
        Any,
        Form(DeployBlock),
        Meta(description="read by `plait template` and `plait package`", examples=[{"trigger": "queue"}]),
    ] = None
