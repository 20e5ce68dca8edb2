"""A local AWS and MySQL that hold a shop's sample orders; the commands `plait sandbox` and `plait demo` run on them.

Tests start the servers too. Nothing of `plait` imports this package: it finds the two commands by their entry points.
"""

from __future__ import annotations

from plait_sandbox.sample_data import Sample, Store, generate, sample, write
from plait_sandbox.sandbox import Sandbox, start_sandbox

__all__ = ["Sample", "Sandbox", "Store", "generate", "sample", "start_sandbox", "write"]
