"""The decode steps as a spec writes them: closed structs, as the other keys of the language."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from plait.language.forms import Zone  # noqa: TC001 - msgspec reads the annotations of the structs
from plait.plugin import Options, Pattern
from plait.problems.errors import SpecValueError
from plait.values.patterns import Expression  # noqa: TC001 - msgspec reads the annotations of the structs
from plait.values.time_texts import TimeFormat


def about(description: str, *examples: Any, code: str = "", **limits: Any) -> Meta:
    """What a key means, examples of its value, its limits, and the code of a value beyond them."""
    extra = {"code": code} if code else None
    return Meta(description=description, examples=[*examples] or None, extra_json_schema=extra, **limits)


_ONE_STEP = {
    "description": "a step with an argument; each step is an entry of its own",
    "code": "wrong-step",
}


class StepBlock(Options, frozen=True, kw_only=True):
    """A decode step with an argument: one of the keys."""

    json_schema: ClassVar[dict[str, Any]] = {
        **_ONE_STEP,
        "minProperties": 1,
        "if": {"required": ["zone"]},
        "then": {
            "required": ["time"],
            "properties": {"time": {"description": "`zone` stands beside `time`"}},
            "maxProperties": 2,
            **_ONE_STEP,
        },
        "else": {"maxProperties": 1, **_ONE_STEP},
    }

    epoch: Annotated[
        Literal["s", "ms", "us", "ns"] | UnsetType,
        about("a number since 1970, in this unit, to a timestamp", code="wrong-step"),
    ] = UNSET
    time: Annotated[
        TimeFormat | UnsetType,
        about("text to a timestamp, by `iso` or in the words of strptime", code="wrong-step"),
    ] = UNSET
    zone: Annotated[Zone | UnsetType, about("where times without a zone are read, beside `time`")] = UNSET
    pattern: Annotated[
        Pattern | UnsetType,
        about("text to fields: `{name}` is text without white space, `{name*}` and `*` any text"),
    ] = UNSET
    regex: Annotated[Expression | UnsetType, about("text to fields: its named groups")] = UNSET

    def __post_init__(self) -> None:
        """Each text of a format with a zone has one."""
        if self.zone is not UNSET and isinstance(self.time, TimeFormat) and self.time.has_zone:
            message = "the format has a zone, so no text is without one"
            raise SpecValueError(message, code="wrong-step", help="remove `zone`")


StepWord = Annotated[
    Literal["base64", "base64url", "gzip", "zlib", "json", "text", "dynamodb"],
    Meta(extra_json_schema={"code": "unknown-step"}),
]
AnyStep = Annotated[
    StepWord | StepBlock,
    about(
        "`base64`, `base64url`, `gzip`, `zlib`, `json`, `text`, `dynamodb`, `{epoch: s}`, `{time: …}`, `{pattern: …}` or `{regex: …}`",
    ),
]
Steps = Annotated[
    list[AnyStep],
    about("the steps of a field, one after the other", ["base64", "json"], code="wrong-step", min_length=1),
]
