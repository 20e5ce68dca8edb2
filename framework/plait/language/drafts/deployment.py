"""Read what `deploy` and `parameters` say about the function that runs a pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plait.language.spec import Deploy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.drafts.collector import ProblemCollector
    from plait.language.keys import DeployBlock

# The limits of Lambda and of its event source mapping.
MAX_DURATIONS = {"timeout": timedelta(minutes=15), "window": timedelta(minutes=5)}
BATCH_WITHOUT_WINDOW = 10


def check_deploy(block: DeployBlock | None, collector: ProblemCollector) -> None:
    """Report each duration that Lambda does not allow."""
    for name, longest in MAX_DURATIONS.items():
        duration = getattr(block, name, None)
        if duration is not None and (duration > longest or (name == "timeout" and not duration)):
            message = f"`{name}` is from {'1s' if name == 'timeout' else '0s'} to {longest.seconds // 60}m"
            help = "write a length within Lambda's limits"
            collector.add_at(("deploy", name), "wrong-value", message, help=help)


def read_deploy(block: DeployBlock | None) -> Deploy:
    """The frozen value of the block; a batch of more than ten gets a window of at least a second, as Lambda requires."""
    if block is None:
        return Deploy()
    shortest = timedelta(seconds=1) if block.batch > BATCH_WITHOUT_WINDOW else timedelta(0)
    return Deploy(
        memory=block.memory,
        timeout=block.timeout or Deploy().timeout,
        trigger=block.trigger,
        batch=block.batch,
        window=max(block.window or shortest, shortest),
        max_concurrency=block.max_concurrency,
    )


def variables(root: Mapping[str, Any]) -> dict[str, str]:
    """The environment variable of each parameter that names one; the spec is valid."""
    blocks = root.get("parameters")
    items = blocks.items() if isinstance(blocks, dict) else ()
    return {name: block["env"] for name, block in items if isinstance(block, dict) and block.get("env")}
