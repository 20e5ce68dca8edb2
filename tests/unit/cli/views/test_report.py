"""The report of a run as text."""

from __future__ import annotations

import pytest

from plait.cli.views.report import size_text


@pytest.mark.parametrize(("number", "text"), [(1, "1 byte"), (1536, "1.5 KiB"), (3 * 1024**4, "3.0 TiB")])
def test_sizes_are_read_by_people(number: int, text: str) -> None:
    assert size_text(number) == text
