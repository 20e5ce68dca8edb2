"""The smallest IAM policy under which a pipeline runs, from what its connectors say that they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.plugin import FolderPath, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.language.spec import Spec

VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One action on one resource, with the blocks of the spec that need it, each with its reason."""

    action: str
    resource: str
    reasons: tuple[tuple[str, str], ...]


def grants(spec: Spec) -> tuple[Grant, ...]:
    """What the function that runs a pipeline may do, sorted, each action on each resource once; pure."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for block, statement in _needed(spec):
        for action in statement.actions:
            for resource in statement.resources:
                found.setdefault((action, resource), []).append((block, statement.why))
    return tuple(
        Grant(action=action, resource=resource, reasons=tuple(dict.fromkeys(reasons)))
        for (action, resource), reasons in sorted(found.items())
        if not _covered(action, resource, found)
    )


def document(granted: Sequence[Grant], names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The policy as IAM takes it; `names` puts values for `AWS::Region` and its like into the ARNs."""
    resources: dict[str, list[str]] = {}
    for grant in granted:
        resources.setdefault(grant.action, []).append(placed(grant.resource, names or {}))
    actions: dict[tuple[str, ...], list[str]] = {}
    for action, listed in resources.items():
        actions.setdefault(tuple(listed), []).append(action)
    return {
        "Version": VERSION,
        "Statement": [
            {"Effect": "Allow", "Action": sorted(listed), "Resource": list(on)}
            for on, listed in actions.items()
        ],
    }


def placed(arn: str, names: Mapping[str, str]) -> str:
    """An ARN with values for its pseudo parameters."""
    for name, value in names.items():
        arn = arn.replace(f"${{{name}}}", value)
    return arn


def _needed(spec: Spec) -> Iterator[tuple[str, Statement]]:
    driver, sink = spec.driver, spec.sink
    yield from _of(driver.name, driver.connector.permissions(driver.options, "driver"))
    for source in spec.lookups:
        yield from _of(source.name, source.connector.permissions(source.options, "lookup"))
    yield from _of("sink", sink.connector.permissions(sink.options, "sink"))
    folder = FolderPath.parse(spec.quarantine.path) if spec.quarantine else None
    if folder and folder.bucket:
        files = f"{folder.object_arn.rstrip('/')}/*.json"
        put = f"set bad records aside below `{folder.text}`"
        yield "quarantine", Statement(actions=("s3:PutObject",), resources=(files,), why=put)
        look = "see which version a record is of before it is replaced"
        yield "quarantine", Statement(actions=("s3:GetObject",), resources=(files,), why=look)


def _of(block: str, statements: Iterable[Statement]) -> Iterator[tuple[str, Statement]]:
    return ((block, statement) for statement in statements)


def _covered(action: str, resource: str, found: Iterable[tuple[str, str]]) -> bool:
    """Whether the action is granted on a wider resource that ends in `*`, so that this one adds nothing."""
    return any(
        other != resource and other.endswith("*") and resource.startswith(other[:-1])
        for known, other in found
        if known == action
    )
