"""The storage, which counts its calls."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from plait.storage.objects import Storage


@pytest.fixture
def calls() -> Any:
    return Counter()


@pytest.fixture
def storage(calls: Counter[str]) -> Any:
    return Storage(lambda operation, n: calls.update({operation: n}))
