"""The pattern of an EventBridge rule for the objects of a driving path."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.values.paths import DriverPath

OBJECT_CREATED = "Object Created"


def event_pattern(path: DriverPath) -> dict[str, Any]:
    """The pattern of an EventBridge rule for new objects that match a path on S3.

    EventBridge's `*` also matches `/`, so the rule may let through more objects than the path; a run skips those.
    """
    key = path.literal.removeprefix(f"s3://{path.bucket}/")
    wildcard = key
    for previous, part in pairwise(path.parts):
        if isinstance(part, str):
            wildcard += part
        elif isinstance(previous, str):
            wildcard += "*"  # EventBridge refuses two in a row
    has_holes = len(path.parts) > 1
    return {
        "source": ["aws.s3"],
        "detail-type": [OBJECT_CREATED],
        "detail": {
            "bucket": {"name": [path.bucket]},
            "object": {"key": [{"wildcard": wildcard.replace("\\", "\\\\")} if has_holes else key]},
        },
    }
