"""The parameters of a spec as those of a stack: a value that is known only when the stack is made.

A spec is validated with a mark in place of each value, and everything that is derived from it (ARNs, patterns)
carries the marks along, until CloudFormation's functions take their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = re.compile(r"plaitparam\d+(?:s\d+)?z")
PSEUDO = re.compile(r"\$\{(?!AWS::)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackParameter:
    """A spec's parameter in a stack: `id` is its name there, `mark` stands for its value in the marked spec."""

    id: str
    name: str
    default: str
    mark: str
    pattern: str
    marks: Mapping[str, Any]

    def definition(self) -> dict[str, Any]:
        """The entry below `Parameters`; the pattern keeps a path's number of segments, which ARNs rest on."""
        about = f"Parameter `{self.name}` of the spec."
        return {
            "Type": "String",
            "Default": self.default,
            "Description": about,
            **({"AllowedPattern": self.pattern} if self.pattern else {}),
        }


def stack_parameter(number: int, name: str, value: str) -> StackParameter:
    """The stack's parameter for a spec's; of a path on S3 each segment has a mark of its own."""
    id = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))
    whole = f"plaitparam{number}z"
    if not value.startswith("s3://"):
        return StackParameter(
            id=id, name=name, default=value, mark=whole, pattern="", marks={whole: {"Ref": id}}
        )
    segments = value.removeprefix("s3://").split("/")
    marks = {
        f"plaitparam{number}s{n}z": {"Fn::Select": [n + 2, {"Fn::Split": ["/", {"Ref": id}]}]}
        for n, segment in enumerate(segments)
        if segment
    }
    shown = [f"plaitparam{number}s{n}z" if segment else "" for n, segment in enumerate(segments)]
    pattern = "/".join("[^/]+" if segment else "" for segment in segments)
    return StackParameter(
        id=id,
        name=name,
        default=value,
        mark="s3://" + "/".join(shown),
        pattern=f"^s3://{pattern}$",
        marks=marks,
    )


def resolved(value: Any, marks: Mapping[str, Any]) -> Any:
    """Values in which marks stand, with CloudFormation's functions in their place."""
    if isinstance(value, dict):
        return {name: resolved(one, marks) for name, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, marks) for one in value]
    if not isinstance(value, str):
        return value
    return _text(value, marks)


def _text(text: str, marks: Mapping[str, Any]) -> Any:
    if text in marks:
        return marks[text]
    used = list(dict.fromkeys(MARK.findall(text)))
    if not used and "${AWS::" not in text:
        return text
    template = MARK.sub(lambda found: f"${{{found[0]}}}", PSEUDO.sub("${!", text))
    return {"Fn::Sub": [template, {mark: marks[mark] for mark in used}]} if used else {"Fn::Sub": template}
