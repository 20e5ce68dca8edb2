"""Check what a spec that waits for late records needs: a queue that delivers again, and an age to count from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.spec import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.language.drafts.collector import ProblemCollector
    from plait.language.drafts.sources import SourceDraft
    from plait.language.keys import DeployBlock
    from plait.language.source_map import KeyPath


def check_waits(
    drafts: Sequence[SourceDraft], deploy: DeployBlock | None, collector: ProblemCollector
) -> None:
    """Report each `retry_for` that cannot work."""
    driver = next((draft.connector for draft in drafts if draft.role == "driver"), None)
    for draft in drafts:
        if draft.join is None or draft.join.retry_for is None:
            continue
        path: KeyPath = (*draft.path, "join", "missing", "retry_for")
        if deploy and deploy.trigger == "direct":
            message = "`retry_for` waits by the queue's next delivery, and `trigger: direct` has no queue"
            help = "write `trigger: queue`, or `missing: keep`"
            note = f"`trigger` is given at line {collector.line(('deploy', 'trigger'))}"
            collector.add_at_key(path, "no-queue", message, help=help, note=note)
        elif driver and not driver.dated:
            message = f"objects of `{driver.name}` have no age, so nothing can wait until they are old"
            collector.add_at_key(path, "no-age", message, help="use `missing: keep`")
        elif draft.join.retry_for > LONGEST_WAIT:
            message = f"no queue keeps a message for longer than {LONGEST_WAIT.days} days"
            collector.add_at(path, "too-long", message, help=f"wait for at most `{LONGEST_WAIT.days}d`")
