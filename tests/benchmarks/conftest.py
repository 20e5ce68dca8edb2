"""A benchmark runs only where it is asked for by name, and its figures go to the folder that `PLAIT_RESULTS` names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.record import Figure, Figures, write

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL: list[Figure] = []


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave benchmarks out of a run of all tests."""
    return None if any("benchmarks" in argument for argument in config.args) else True


@pytest.fixture
def figures(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[Figures]:
    """Where a benchmark notes what it measured, which is printed."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    say("")
    made = Figures(f"make bench ONLY={request.path.stem.removeprefix('test_')}", say)
    yield made
    ALL.extend(made.all)


@pytest.fixture(scope="session", autouse=True)
def written() -> Iterator[None]:
    """Write all figures at the end."""
    yield
    if folder := os.environ.get("PLAIT_RESULTS"):
        write(ALL, Path(folder) / "bench.json")
