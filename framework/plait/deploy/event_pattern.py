"""The pattern of an EventBridge rule for the objects of a driving path."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.values.paths import DriverPath

CREATED = "Object Created"


def event_pattern(path: DriverPath) -> dict[str, Any]:
    """The pattern of an EventBridge rule for new objects that fit a path on S3.

    EventBridge's `*` runs across `/`, so the rule lets through all that fit and may be more, which a run skips.
    """
    key = path.literal.removeprefix(f"s3://{path.bucket}/")
    wildcard = key
    for before, part in pairwise(path.parts):
        if isinstance(part, str):
            wildcard += part
        elif isinstance(before, str):
            wildcard += "*"  # EventBridge refuses two in a row
    holes = len(path.parts) > 1
    return {
        "source": ["aws.s3"],
        "detail-type": [CREATED],
        "detail": {
            "bucket": {"name": [path.bucket]},
            "object": {"key": [{"wildcard": wildcard.replace("\\", "\\\\")} if holes else key]},
        },
    }
