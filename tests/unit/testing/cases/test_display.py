"""Values are shown shortened in messages."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from plait.testing.cases.display import show_pair, show_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ('a "b"', '"a "b""'),
        (None, "null"),
        (Decimal("12.50"), "12.50"),
        (datetime(2026, 7, 1, 10, tzinfo=UTC), "2026-07-01T10:00:00Z"),
        (b"\x00", "AA=="),
        ([{"a": "x"}], "[{a: x}]"),
    ],
)
def test_a_value_is_shown_as_a_file_of_cases_would_have_it(value: Any, shown: str) -> None:
    assert show_value(value) == shown


def test_long_texts_are_shown_around_their_first_difference() -> None:
    expected, got = show_pair("x" * 200 + "left" + "y" * 200, "x" * 200 + "right")
    assert expected == f"…{'x' * 20}left{'y' * 16}…"
    assert got == f'…{"x" * 20}right"'
