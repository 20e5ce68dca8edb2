"""What a spec that waits for late records needs: a queue that delivers again, and an age to count from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.spec import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language import DeployBlock
    from plait.shape import Path, Report
    from plait.spec import Source


def check_waits(report: Report, sources: Mapping[str, Source | None], deploy: DeployBlock | None) -> None:
    """Report each `retry_for` that cannot work."""
    known = [source for source in sources.values() if source]
    driver = next((source for source in known if source.join is None), None)
    for source in known:
        if source.join is None or source.join.retry_for is None:
            continue
        path: Path = ("sources", source.name, "join", "missing", "retry_for")
        if deploy and deploy.trigger == "direct":
            line = report.located.at(("deploy", "trigger")).line
            message = "`retry_for` waits by the queue's next delivery, and `trigger: direct` has no queue"
            help = "leave out `trigger`, or use `missing: keep`"
            report.at_key(path, "no-queue", message, help=help, note=f"`trigger` is given at line {line}")
        elif driver and not driver.connector.dated:
            message = (
                f"objects of `{driver.connector.name}` have no age, so nothing can wait until they are old"
            )
            report.at_key(path, "no-age", message, help="use `missing: keep`")
        elif source.join.retry_for > LONGEST_WAIT:
            message = f"no queue keeps a message for longer than {LONGEST_WAIT.days} days"
            report.at(path, "too-long", message, help=f"wait for at most `{LONGEST_WAIT.days}d`")
