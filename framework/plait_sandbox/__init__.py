"""The shop on one machine: AWS, MySQL and sample orders, for tests and the demo."""

from __future__ import annotations

from plait_sandbox.data import Sample, Store, generate, sample, write
from plait_sandbox.local import Sandbox

__all__ = ["Sample", "Sandbox", "Store", "generate", "sample", "write"]
