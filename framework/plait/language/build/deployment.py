"""What `deploy` and `parameters` say about the function that runs a pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plait.language.spec import Deploy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.keys import DeployBlock
    from plait.language.structure import ProblemCollector

# Lambda's and its event source mapping's own limits.
LONGEST = {"timeout": timedelta(minutes=15), "window": timedelta(minutes=5)}
BATCH_WITHOUT_WINDOW = 10


def check_deploy(collector: ProblemCollector, block: DeployBlock | None) -> None:
    """ProblemCollector each length of time that Lambda does not allow."""
    for name, most in LONGEST.items():
        given = getattr(block, name, None)
        if given is not None and (given > most or (name == "timeout" and not given)):
            message = f"`{name}` is from {'1s' if name == 'timeout' else '0s'} to {most.seconds // 60}m"
            collector.add_at(
                ("deploy", name), "wrong-value", message, help="write a length within Lambda's limits"
            )


def read_deploy(block: DeployBlock | None) -> Deploy:
    """The frozen value; Lambda collects a batch of more than ten only within a window of a second or more."""
    if block is None:
        return Deploy()
    least = timedelta(seconds=1) if block.batch > BATCH_WITHOUT_WINDOW else timedelta(0)
    return Deploy(
        memory=block.memory,
        timeout=block.timeout or Deploy().timeout,
        trigger=block.trigger,
        batch=block.batch,
        window=max(block.window or least, least),
        max_concurrency=block.max_concurrency,
    )


def variables(root: Mapping[str, Any]) -> dict[str, str]:
    """The environment variable of each parameter of a valid spec that names one."""
    blocks = root.get("parameters")
    found = blocks.items() if isinstance(blocks, dict) else ()
    return {name: block["env"] for name, block in found if isinstance(block, dict) and block.get("env")}
