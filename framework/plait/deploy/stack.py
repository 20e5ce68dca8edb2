"""Fill what a spec says into `stack.yaml`, the CloudFormation template of one pipeline.

In that file, `key: !Spec name` gets a value of `_values`, a text with `{name}` in it is filled with such values, and
`<<: !Spec name` becomes the entries of a mapping.
"""

from __future__ import annotations

import re
import textwrap
from datetime import timedelta
from functools import cache
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from msgspec.structs import asdict

from plait.deploy.alarms import lookup_alarms
from plait.deploy.policy import grants, policy_document
from plait.deploy.requirements import DEFAULT_PYTHON
from plait.deploy.stack_history import history_parts
from plait.deploy.stack_parameters import StackParameter, resolve_marks, stack_parameter
from plait.deploy.stack_table import table_parts
from plait.language.document import ALLOWING_VARIABLE
from plait.language.spec import LONGEST_WAIT, options_of_type
from plait.plugin import DriverPath, GiveUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plait.language.spec import Spec

HOLE = re.compile(r"^( *)([\w<]+): !Spec (.+)\n", re.MULTILINE)
PARAMETER_OR_RESOURCE = re.compile(r"^  (\w+):\n    Type:", re.MULTILINE)
FEWEST_RECEIVES = 5  # so that an ordinary failure is retried a few times
MOST_RECEIVES = 1_000  # a queue's limit for `maxReceiveCount`
DAY = timedelta(days=1)
LONGEST_TIMEOUT = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(minutes=5)
TOLERATED_DELAY = timedelta(hours=1)
NO_VALUE = {"Ref": "AWS::NoValue"}


def stack_text(spec: Spec, marked: Callable[[Mapping[str, str]], Spec | None]) -> str:
    """The template of a spec's stack as YAML; raises GiveUp if a function cannot run the spec.

    `marked` validates the spec anew with these values of its parameters, and returns None if they are not valid.
    """
    driver_path(spec)
    parameters = _settable_parameters(spec, marked)
    marked_spec = marked({name: parameter.mark for name, parameter in parameters.items()}) or spec
    marks = {mark: part for parameter in parameters.values() for mark, part in parameter.marks.items()}
    variables = {
        spec.variables[name]: {"Ref": parameters[name].id} if name in parameters else value
        for name, value in spec.parameters.items()
        if name in spec.variables
    }
    values = _values(marked_spec) | {
        "parameters": {parameter.id: parameter.definition for parameter in parameters.values()}
        | table_parts(spec).parameters,
        "description": f"plait: the pipeline {spec.name}. {spec.description}".strip()[:1024],
        "variables": {
            "PLAIT_SPEC": f"{spec.name}.yaml",
            **_allowed(variables),
            **dict(sorted(variables.items())),
        },
    }

    def fill(hole: re.Match[str]) -> str:
        indent, key, text = hole.groups()
        value = resolve_marks(values[text] if text in values else text.format_map(values), marks)
        block = value if key == "<<" else {key: value}
        lines = yaml.dump(block, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=inf)
        return textwrap.indent(lines, indent) if block else ""

    return HOLE.sub(fill, _template())


def _allowed(variables: Iterable[str]) -> dict[str, str]:
    """The variable that allows the others to the parameters of the spec, where there are any."""
    return {ALLOWING_VARIABLE: names} if (names := ",".join(sorted(variables))) else {}


def read_stack(text: str) -> Any:
    """Read a template whose functions have the short form, such as `!Ref Queue`, into their long form."""
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader that also knows CloudFormation's functions


def driver_path(spec: Spec) -> DriverPath:
    """The path on S3 that drives the pipeline; raises GiveUp if the driver reads no objects on S3."""
    path = next(iter(options_of_type(spec.driver.options, DriverPath)), None)
    if path is None or not path.bucket:
        message = f"`{spec.driver.name}` reads no objects on S3, so no event can start the function"
        help = "give its path as `s3://…`, by `--param` where it is one"
        raise GiveUp(message, code="no-events", help=help)
    return path


def event_pattern(path: DriverPath) -> dict[str, Any]:
    """The pattern of an EventBridge rule for new objects that match a path on S3.

    EventBridge's `*` also matches `/`, so the rule may let through more objects than the path; a run skips those.
    """
    text = "".join(part if isinstance(part, str) else "*" for part in path.parts)
    key: Any = text.removeprefix(f"s3://{path.bucket}/")
    if len(path.parts) > 1:  # EventBridge refuses two `*` in a row
        key = {"wildcard": re.sub(r"\*+", "*", key).replace("\\", "\\\\")}
    detail = {"bucket": {"name": [path.bucket]}, "object": {"key": [key]}}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def _settable_parameters(
    spec: Spec, marked: Callable[[Mapping[str, str]], Spec | None]
) -> dict[str, StackParameter]:
    """The spec's parameters that a stack can set: those with an environment variable that may have any value."""
    table = table_parts(spec)
    taken = {*PARAMETER_OR_RESOURCE.findall(_template()), *lookup_alarms(spec)}
    taken |= {*table.parameters, *table.resources, *history_parts(spec)}
    settable: dict[str, StackParameter] = {}
    for number, (name, value) in enumerate(spec.parameters.items()):
        if name not in spec.variables:
            continue
        parameter = stack_parameter(number, name, value)
        if parameter.id in taken:
            message = f"the parameter `{name}` has the name of another part of the stack, `{parameter.id}`"
            raise GiveUp(message, help="rename it")
        taken.add(parameter.id)
        if marked({name: parameter.mark}) is not None:
            settable[name] = parameter
    return settable


def _values(spec: Spec) -> dict[str, Any]:
    """What goes into the holes of the template, by name; durations in seconds."""
    path, deploy = driver_path(spec), spec.deploy
    waits = [source.join.retry_for for source in spec.lookups if source.join and source.join.retry_for]
    longest_wait = max(waits, default=timedelta())
    table = table_parts(spec)
    bound, queued = deploy.max_concurrency, deploy.trigger == "queue"
    values = {
        **asdict(deploy),
        **redelivery(longest_wait, deploy.timeout, deploy.window)._asdict(),
        "oldest": longest_wait + TOLERATED_DELAY,
        "name": spec.name,
        "quarantine": "yes" if spec.quarantine else "no",
        "bucket": path.bucket,
        "event_pattern": event_pattern(path),
        "statements": policy_document(grants(spec))["Statement"],
        "python": DEFAULT_PYTHON,
        "reserved": bound if bound and not queued else NO_VALUE,
        "lookup_alarms": lookup_alarms(spec),
        "table_conditions": table.conditions,
        "table": table.resources,
        "history": history_parts(spec),
        "scaling": {"MaximumConcurrency": bound} if bound and queued else NO_VALUE,
    }
    return {name: int(v.total_seconds()) if isinstance(v, timedelta) else v for name, v in values.items()}


class Redelivery(NamedTuple):
    """Settings of a queue: a message is delivered `receives` times, `visibility` apart, and then is a dead letter."""

    visibility: timedelta
    receives: int
    retention: timedelta


def redelivery(retry_for: timedelta, timeout: timedelta, window: timedelta = timedelta()) -> Redelivery:
    """The settings of a queue whose objects wait at most `retry_for`, for a function's timeout and batching window.

    The last delivery but one comes after the wait is over, when an object is taken as it is, so that waiting alone
    never makes a dead letter. As AWS advises, a message stays hidden for six timeouts and the window.
    Raises ValueError if a duration is beyond what Lambda or SQS allow.
    """
    if not timedelta() < timeout <= LONGEST_TIMEOUT or not timedelta() <= window <= LONGEST_WINDOW:
        raise ValueError("a function runs for at most 15 minutes, and a batch is collected for at most 5")
    if retry_for > LONGEST_WAIT:
        raise ValueError(f"no queue keeps a message for longer than {LONGEST_WAIT.days} days")
    shortest = max(6 * timeout + window, retry_for / (MOST_RECEIVES - 2))
    visibility = timedelta(seconds=ceil(shortest.total_seconds()))
    receives = max(FEWEST_RECEIVES, ceil(retry_for / visibility) + 2)
    retention = min(max(receives * visibility + DAY, 4 * DAY), 14 * DAY)
    return Redelivery(visibility, receives, retention)


@cache
def _template() -> str:
    return Path(__file__).with_name("stack.yaml").read_text(encoding="utf-8")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's functions in their short form."""


class _Dumper(yaml.SafeDumper):
    """Writes CloudFormation's functions in their short form, and parts that are shared as often as they are used."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _read_function(loader: Any, name: str, node: Any) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = node.value.split(".", 1) if name == "GetAtt" else node.value
    else:
        argument = loader.construct_sequence(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": argument}


def _write_mapping(dumper: Any, mapping: dict[str, Any]) -> Any:
    name = next(iter(mapping), "")
    if not name.startswith(("Ref", "Fn::")) or not isinstance(mapping[name], str | list):
        return dumper.represent_dict(mapping.items())
    node = dumper.represent_data(mapping[name])
    node.tag = f"!{name.removeprefix('Fn::')}"
    node.flow_style = True
    return node


_Loader.add_multi_constructor("!", _read_function)
_Dumper.add_representer(dict, _write_mapping)
