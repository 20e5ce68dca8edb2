"""A benchmark runs only where it is asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave benchmarks out of a run of all tests."""
    return None if any("benchmarks" in argument for argument in config.args) else True
