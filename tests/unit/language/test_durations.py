"""Durations are read as a spec writes them, and written back in the largest whole unit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plait.language.forms import Duration, spell_duration
from plait.problems.errors import SpecValueError


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800)]
)
def test_a_whole_number_and_a_unit_are_a_duration(text: str, seconds: int) -> None:
    assert Duration.parse(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("PT10M", "did you mean `10m`?"),
        ("10 minutes", "did you mean `10m`?"),
        ("90", "did you mean `90s`?"),
        ("500ms", "write a whole number and `s`, `m`, `h` or `d`"),
        ("1.5h", "write a whole number and `s`, `m`, `h` or `d`"),
        ("soon", "write a whole number and `s`, `m`, `h` or `d`"),
    ],
)
def test_another_text_is_refused_with_the_duration_that_was_likely_meant(text: str, help: str) -> None:
    with pytest.raises(SpecValueError) as refusal:
        Duration.parse(text)
    assert (refusal.value.code, refusal.value.help) == ("wrong-duration", help)


@pytest.mark.parametrize("text", ["0s", "90s", "15m", "2h", "7d"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    assert spell_duration(Duration.parse(text)) == text


def test_a_duration_is_written_in_the_largest_whole_unit() -> None:
    assert [spell_duration(timedelta(minutes=minutes)) for minutes in (1, 90, 120, 1440)] == [
        "1m", "90m", "2h", "1d",
    ]  # fmt: skip
