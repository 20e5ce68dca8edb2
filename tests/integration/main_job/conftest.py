"""The shop, filled once for all tests of the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kit.bare import bare_python
from kit.proxy import Proxy
from plait_sandbox import Sandbox, sample

from .packages import packaged, unpacked
from .payload import salted
from .shop import SPEC, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The sandbox with the demo's sample; plait talks to it through the proxy."""
    with Sandbox() as sandbox, Proxy(sandbox.aws.endpoint) as proxy:
        found = salted(sample())
        sandbox.fill(found, announce=False)
        yield Shop(sandbox, found, proxy, sandbox.client("s3"))


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `plait package` tells of the main job's package."""
    return packaged(SPEC, tmp_path_factory.mktemp("zip") / "transactions.zip")


@pytest.fixture(scope="session")
def task(told: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked into an empty folder."""
    return unpacked(told, tmp_path_factory.mktemp("unpacked") / "task")


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with Lambda's runtime alone."""
    return bare_python(tmp_path_factory.mktemp("bare"))
