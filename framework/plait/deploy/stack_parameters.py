"""Turn the parameters of a spec into parameters of its stack, whose values are known only when the stack is created.

The spec is validated with a mark in place of each value. Everything derived from it (ARNs, patterns) then contains
the marks, and CloudFormation's functions are put in their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = re.compile(r"plaitparam\d+(?:s\d+)?z")
DOLLAR_BRACE = re.compile(r"\$\{(?!AWS::)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackParameter:
    """The parameter of the stack that sets a parameter of the spec.

    `id` is its name in the stack, `name` its name in the spec. `mark` is the text that takes the place of its value in
    the spec. `marks` maps each mark within that text to the CloudFormation function that gives its value. `pattern` is
    a regular expression for its values.
    """

    id: str
    name: str
    default: str
    mark: str
    pattern: str
    marks: Mapping[str, Any]

    def definition(self) -> dict[str, Any]:
        """The entry below `Parameters`; its pattern keeps the number of a path's segments, on which ARNs depend."""
        description = f"Parameter `{self.name}` of the spec."
        return {
            "Type": "String",
            "Default": self.default,
            "Description": description,
            **({"AllowedPattern": self.pattern} if self.pattern else {}),
        }


def stack_parameter(number: int, name: str, value: str) -> StackParameter:
    """The stack's parameter for the spec's parameter of this number; each segment of a path on S3 gets its own mark."""
    id = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))
    mark = f"plaitparam{number}z"
    if not value.startswith("s3://"):
        return StackParameter(
            id=id, name=name, default=value, mark=mark, pattern="", marks={mark: {"Ref": id}}
        )
    segments = value.removeprefix("s3://").split("/")
    marks = {
        f"plaitparam{number}s{n}z": {"Fn::Select": [n + 2, {"Fn::Split": ["/", {"Ref": id}]}]}
        for n, segment in enumerate(segments)
        if segment
    }
    marked = [f"plaitparam{number}s{n}z" if segment else "" for n, segment in enumerate(segments)]
    pattern = "/".join("[^/]+" if segment else "" for segment in segments)
    return StackParameter(
        id=id,
        name=name,
        default=value,
        mark="s3://" + "/".join(marked),
        pattern=f"^s3://{pattern}$",
        marks=marks,
    )


def resolve_marks(value: Any, marks: Mapping[str, Any]) -> Any:
    """Put CloudFormation's functions in place of the marks within a value."""
    if isinstance(value, dict):
        return {name: resolve_marks(member, marks) for name, member in value.items()}
    if isinstance(value, list):
        return [resolve_marks(element, marks) for element in value]
    if not isinstance(value, str):
        return value
    return _resolve_text(value, marks)


def _resolve_text(text: str, marks: Mapping[str, Any]) -> Any:
    if text in marks:
        return marks[text]
    used = list(dict.fromkeys(MARK.findall(text)))
    if not used and "${AWS::" not in text:
        return text
    template = MARK.sub(lambda match: f"${{{match[0]}}}", DOLLAR_BRACE.sub("${!", text))
    return {"Fn::Sub": [template, {mark: marks[mark] for mark in used}]} if used else {"Fn::Sub": template}
