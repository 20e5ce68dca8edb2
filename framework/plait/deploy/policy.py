"""The smallest IAM policy under which a pipeline runs, from the permissions that its connectors declare."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, product
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plait.aws_lambda.marker import state_folder
from plait.plugin import FolderPath, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.language.spec import Spec


class Grant(Struct, frozen=True, kw_only=True):
    """One action on one resource; `reasons` are pairs of a block of the spec and why it needs the action."""

    action: str
    resource: str
    reasons: tuple[tuple[str, str], ...]


def grants(spec: Spec, *, on_spark: bool = False) -> tuple[Grant, ...]:
    """What the function of a pipeline may do, or its backfill on Spark; sorted, each action on each resource once."""
    reasons_by_grant: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for block, statement in chain(_statements(spec), _of_state(spec) if on_spark else ()):
        for grant in product(statement.actions, statement.resources):
            reasons_by_grant[grant].append((block, statement.why))
    return tuple(
        Grant(action=action, resource=resource, reasons=tuple(dict.fromkeys(reasons)))
        for (action, resource), reasons in sorted(reasons_by_grant.items())
        if not _is_covered(action, resource, reasons_by_grant)
    )


def policy_document(granted: Sequence[Grant], values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The policy as IAM takes it; `values` are those of pseudo parameters such as `AWS::Region` in the ARNs."""
    resources_by_action: defaultdict[str, list[str]] = defaultdict(list)
    for grant in granted:
        resources_by_action[grant.action].append(fill_pseudo_parameters(grant.resource, values or {}))
    actions_by_resources: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, resources in resources_by_action.items():
        actions_by_resources[tuple(resources)].append(action)
    statements = [
        {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
        for resources, actions in actions_by_resources.items()
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def fill_pseudo_parameters(arn: str, values: Mapping[str, str]) -> str:
    """Put values in place of pseudo parameters such as `${AWS::Region}` in an ARN."""
    for name, value in values.items():
        arn = arn.replace(f"${{{name}}}", value)
    return arn


def _statements(spec: Spec) -> Iterator[tuple[str, Statement]]:
    """The statements of the driver, the look-ups, the sink and the quarantine, each with its block's name."""
    for block in spec.blocks:
        for statement in block.role.permissions():
            if spec.partition_by or not statement.parted:
                yield block.name, statement
    folder = FolderPath.parse(spec.quarantine.path) if spec.quarantine else None
    if folder and folder.bucket:
        many = bool(spec.driver.open_driver().position_word)
        files = f"{folder.object_arn.rstrip('/')}/*.json{'l' * many}"
        reasons = {
            "s3:PutObject": f"set bad records aside below `{folder.text}`",
            "s3:GetObject": "see which version a record is of before it is replaced",
        }
        if many:
            reasons["s3:DeleteObject"] = "remove the file of an object that has no bad record any more"
            why = "be told 404 where an object has no file: without it S3 answers 403"
            yield "quarantine", Statement(actions=("s3:ListBucket",), resources=(folder.bucket_arn,), why=why)
        for action, why in reasons.items():
            yield "quarantine", Statement(actions=(action,), resources=(files,), why=why)


def _of_state(spec: Spec) -> Iterator[tuple[str, Statement]]:
    """The statements of a backfill's state beside the sink."""
    path = state_folder(spec)
    folder = FolderPath.parse(path) if path else None
    if folder and folder.bucket:
        files = f"{folder.object_arn}/*"
        reasons = {
            ("s3:GetObject", files): "read the plan of a backfill, and what its batches left",
            ("s3:PutObject", files): "keep the plan of a backfill, and what its batches did",
            ("s3:ListBucket", folder.bucket_arn): "find the batches that are done",
        }
        for (action, resource), why in reasons.items():
            yield "backfill", Statement(actions=(action,), resources=(resource,), why=why)


def _is_covered(action: str, resource: str, granted: Iterable[tuple[str, str]]) -> bool:
    """Whether the action is also granted on a wider resource that ends in `*`, so that this grant adds nothing."""
    return any(
        other != resource and other.endswith("*") and resource.startswith(other[:-1])
        for other_action, other in granted
        if other_action == action
    )
