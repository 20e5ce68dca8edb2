"""What changes between two plans, as text and as JSON; `pipelines/PLAN.md` has every key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from plait.cli.printing import plural
from plait.problems.display import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.plan.diff import Change
    from plait.plan.plan import Plan


def changes_text(changes: Sequence[Change], plan: Plan, against: str) -> str:
    """The changes as a table, in the order given, and how many they are."""
    head = f"{plan.spec.name}, against {against}"
    if not changes:
        return f"{head}\n\nno changes for those who read the lake"
    breaking = sum(change.breaking for change in changes)
    counts = f"{plural(len(changes), 'change')}, {breaking} breaking"
    return "\n\n".join([head, aligned(map(_change_row, changes)), counts])


def _change_row(change: Change) -> tuple[str, str, str, str]:
    values = " → ".join(text for text in (change.before, change.after) if text is not None)
    word = "breaking" if change.breaking else "compatible"
    return (word, change.kind.replace("-", " "), change.name, values)


def changes_document(changes: Sequence[Change], plan: Plan, against: str) -> dict[str, Any]:
    """The changes as JSON, without the version of the format."""
    return {
        "pipeline": plan.spec.name,
        "against": against,
        "breaking": any(change.breaking for change in changes),
        "changes": to_builtins(changes),
    }
