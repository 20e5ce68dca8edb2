"""The package of the main job, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from integration.main_job.packages import packaged, unpacked
from kit.function.bare import bare_python
from kit.oracle import oracle
from kit.shop import SPEC

if TYPE_CHECKING:
    from pathlib import Path

    from kit.shop import Shop


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `plait package` tells of the main job's package."""
    return packaged(SPEC, tmp_path_factory.mktemp("zip") / "transactions.zip")


@pytest.fixture(scope="session")
def task(package: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked into an empty folder."""
    return unpacked(package, tmp_path_factory.mktemp("unpacked") / "task")


@pytest.fixture(scope="session")
def expected(shop: Shop) -> oracle.Expected:
    """What plain Python says that the sample gives."""
    return oracle.expect(shop.sample)


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with Lambda's runtime alone."""
    return bare_python(tmp_path_factory.mktemp("bare"))
