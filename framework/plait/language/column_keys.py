"""The keys of columns and decode steps, and how their schema shows values that have several forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from msgspec import UNSET, Meta, Struct, UnsetType, field

from plait.language.selectors import Selector  # noqa: TC001 - msgspec reads the annotations of the structs
from plait.plugin import Options, Pattern
from plait.values import types

NAME_SCHEMA = {"format": "name", "patternErrorMessage": "name of letters, digits and `_`"}
ColumnName = Annotated[
    str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=255, extra_json_schema=NAME_SCHEMA)
]


class Form(Struct, frozen=True):
    """Stands beside `Any`: the type that the schema shows for a value that `build` reads by its own rules."""

    type: Any


@dataclass(frozen=True, slots=True)
class TypeWord:
    """The type of a column, such as `decimal(12,2)`."""

    kind: types.Type
    noun: ClassVar[str] = "a type"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": rf"^[ \t\r\n]*(?:{'|'.join(types.WORDS)}|decimal\( *[0-9]{{1,2}} *, *[0-9]{{1,2}} *\)|array<.+>|struct<.+:.+>)[ \t\r\n]*$",
        "patternErrorMessage": f"the types are {', '.join(types.FORMS)}",
        "examples": [*types.WORDS, "decimal(12,2)", "array<string>", "struct<name:string,quantity:int>"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a type; raises SpecValueError if the text is none."""
        return cls(types.parse(text))


class ColumnBlock(Options, frozen=True, kw_only=True):
    """An output column."""

    type: Annotated[TypeWord, Meta(description="type of the column, as Athena and Glue spell it")]
    from_: Annotated[Selector, Meta(description="where the value stands in the record")] | None = field(
        name="from", default=None
    )
    required: Annotated[bool, Meta(description="null is a bad record")] = False
    default: Annotated[
        Any,
        Form(str | int | float | bool | list[Any] | dict[str, Any]),
        Meta(description="stands in for every null"),
    ] = UNSET


class StepBlock(Options, frozen=True, kw_only=True):
    """A decode step with an argument: one of the keys."""

    json_schema: ClassVar[dict[str, Any]] = {
        "minProperties": 1,
        "maxProperties": 1,
        "code": "wrong-step",
    }

    epoch: (
        Annotated[
            Literal["s", "ms", "us"],
            Meta(
                description="a number since 1970, in this unit, to a timestamp",
                extra_json_schema={"code": "wrong-step"},
            ),
        ]
        | UnsetType
    ) = UNSET
    pattern: (
        Annotated[
            Pattern,
            Meta(
                description="text to fields: `{name}` is text without white space, `{name*}` and `*` any text"
            ),
        ]
        | UnsetType
    ) = UNSET
    regex: (
        Annotated[
            str,
            Meta(
                description="text to fields: its named groups",
                examples=["(?P<id>[0-9]+): (?P<rest>.*)"],
                extra_json_schema={"format": "regex"},
            ),
        ]
        | UnsetType
    ) = UNSET


StepWord = Annotated[Literal["base64", "json", "gzip"], Meta(extra_json_schema={"format": "step"})]
STEPS_WITH_ARGUMENT = tuple(StepBlock.__struct_fields__)
STEPS = ("base64", "json", "gzip", *STEPS_WITH_ARGUMENT)
