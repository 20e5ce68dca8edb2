"""Turn the parameters of a spec into parameters of its stack, whose values are known only when the stack is created.

The spec is validated with a mark in place of each value. Everything derived from it (ARNs, patterns) then contains
the marks, and CloudFormation's functions are put in their place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = re.compile(r"plaitparam\d+(?:s\d+)?z")
DOLLAR_BRACE = re.compile(r"\$\{(?!AWS::)")


class StackParameter(NamedTuple):
    """The parameter of the stack that sets a parameter of the spec.

    `mark` is the text that takes the place of its value in the spec. `marks` has, for each mark within that text, a name
    for what stands there and the CloudFormation function that gives it.
    """

    id: str
    definition: Mapping[str, Any]
    mark: str
    marks: Mapping[str, tuple[str, Any]]


def stack_parameter(number: int, name: str, value: str) -> StackParameter:
    """The stack's parameter for the spec's parameter of this number.

    Each segment of a path on S3 gets its own mark. Such a parameter has a pattern that keeps the number of segments, on
    which ARNs depend. A path ends without a slash.
    """
    is_path = value.startswith(("s3://", "/"))
    value = value.removesuffix("/") if is_path else value
    id = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))
    definition = {"Type": "String", "Default": value, "Description": f"Parameter `{name}` of the spec."}
    if not value.startswith("s3://"):
        mark = f"plaitparam{number}z"
        definition |= {"AllowedPattern": "^(.*[^/])?$"} if is_path else {}
        return StackParameter(id, definition, mark, {mark: (id, {"Ref": id})})
    marks: dict[str, tuple[str, Any]] = {}
    segments = value.split("/")
    for place, segment in enumerate(segments[2:], 2):
        if segment:
            segments[place] = f"plaitparam{number}s{place}z"
            part = {"Fn::Select": [place, {"Fn::Split": ["/", {"Ref": id}]}]}
            marks[segments[place]] = (f"part{place - 1}Of{id}", part)
    mark = "/".join(segments)
    definition["AllowedPattern"] = f"^{MARK.sub('[^/]+', mark)}$"
    return StackParameter(id, definition, mark, marks)


def resolve_marks(value: Any, marks: Mapping[str, tuple[str, Any]]) -> Any:
    """Put CloudFormation's functions in place of the marks within a value."""
    if isinstance(value, dict):
        return {name: resolve_marks(member, marks) for name, member in value.items()}
    if isinstance(value, list):
        return [resolve_marks(element, marks) for element in value]
    if not isinstance(value, str):
        return value
    if value in marks:
        return marks[value][1]
    used = dict(marks[mark] for mark in MARK.findall(value))
    if not used and "${AWS::" not in value:
        return value
    text = MARK.sub(lambda match: f"${{{marks[match[0]][0]}}}", DOLLAR_BRACE.sub("${!", value))
    variables = {name: part for name, part in used.items() if part != {"Ref": name}}
    return {"Fn::Sub": [text, variables] if variables else text}
