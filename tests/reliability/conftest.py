"""The shop of the main job, filled once, and the results of the run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from main_job.conftest import shop

from .results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["results", "shop"]


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """Where each part notes what it tried; written to the folder that `PLAIT_RESULTS` names."""
    results = Results()
    yield results
    if folder := os.environ.get("PLAIT_RESULTS"):
        results.write(Path(folder))
