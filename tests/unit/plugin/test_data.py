"""What the data between plait and a connector answers by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plait.plugin import Key, Window

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("time", "inside"),
    [(NOON - SECOND, False), (NOON, True), (NOON + SECOND, True), (NOON + 2 * SECOND, False), (None, True)],
)
def test_a_window_includes_its_beginning_but_not_its_end(time: datetime | None, inside: bool) -> None:
    assert Window(since=NOON, until=NOON + 2 * SECOND).contains(time) is inside


def test_a_window_without_bounds_contains_every_time() -> None:
    assert Window().contains(datetime.min.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("time", "taken"),
    [(NOON - SECOND, False), (NOON, True), (NOON + SECOND, True), (NOON + 2 * SECOND, False), (None, False)],
)
def test_a_key_takes_records_of_both_ends_of_its_time(time: datetime | None, taken: bool) -> None:
    assert Key(fields={}, since=NOON, until=NOON + SECOND).covers(time) is taken


@pytest.mark.parametrize("time", [NOON, None])
def test_a_key_without_a_time_takes_records_of_any_time(time: datetime | None) -> None:
    assert Key(fields={}).covers(time)
