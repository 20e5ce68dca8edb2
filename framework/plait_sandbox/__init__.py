"""A local AWS and MySQL that hold a shop's sample orders; the commands `plait sandbox` and `plait demo` run on them.

Tests start the servers too. Nothing of `plait` imports this package: its command line finds the two commands by their names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait_sandbox.sample_data import Sample, Store, generate, sample, write
    from plait_sandbox.sandbox import Sandbox, start_sandbox

__all__ = ["Sample", "Sandbox", "Store", "generate", "sample", "start_sandbox", "write"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: `plait --help` loads the commands and nothing that they run."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "sandbox" if name in ("Sandbox", "start_sandbox") else "sample_data"
    return getattr(import_module(f"{__name__}.{module}"), name)
