"""What a spec that waits for late records needs: a queue that delivers again, and an age to count from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.spec import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.language.build.sources import SourceDraft
    from plait.language.keys import DeployBlock
    from plait.language.source_map import KeyPath
    from plait.language.structure import ProblemCollector


def check_waits(
    collector: ProblemCollector, blocks: Sequence[SourceDraft], deploy: DeployBlock | None
) -> None:
    """ProblemCollector each `retry_for` that cannot work."""
    driver = next((block.connector for block in blocks if block.role == "driver"), None)
    for block in blocks:
        if block.join is None or block.join.retry_for is None:
            continue
        path: KeyPath = (*block.path, "join", "missing", "retry_for")
        if deploy and deploy.trigger == "direct":
            message = "`retry_for` waits by the queue's next delivery, and `trigger: direct` has no queue"
            help, note = "write `trigger: queue`, or `missing: keep`", collector.line(("deploy", "trigger"))
            collector.add_at_key(
                path, "no-queue", message, help=help, note=f"`trigger` is given at line {note}"
            )
        elif driver and not driver.dated:
            message = f"objects of `{driver.name}` have no age, so nothing can wait until they are old"
            collector.add_at_key(path, "no-age", message, help="use `missing: keep`")
        elif block.join.retry_for > LONGEST_WAIT:
            message = f"no queue keeps a message for longer than {LONGEST_WAIT.days} days"
            collector.add_at(path, "too-long", message, help=f"wait for at most `{LONGEST_WAIT.days}d`")
