"""The servers that hold the values, one of each for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kit.stubs import aws, mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A MariaDB server."""
    with mariadb(tmp_path_factory.mktemp("m")) as port:
        yield port


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """A moto server."""
    with aws() as url:
        yield url
