"""The shop, filled once for all tests of the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.proxy import Proxy
from plait.sandbox import Sandbox, sample

from .shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The sandbox with the demo's sample; plait talks to it through the proxy."""
    with Sandbox() as sandbox, Proxy(sandbox.aws.endpoint) as proxy:
        found = sample()
        sandbox.fill(found, announce=False)
        yield Shop(sandbox, found, proxy, sandbox.client("s3"))
