"""Matches within a window are the same for few rows and for many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from plait.engine.match import Matches, within
from plait.language.spec import Around

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("many", [1, 100])
@pytest.mark.parametrize(
    ("minutes", "kept"), [([None], []), ([None, -3, -2, 0, 5, 6], [2, 3, 4]), ([7, 8], []), ([], [])]
)
def test_a_match_is_near_from_the_first_to_the_last_moment_of_its_window(
    many: int, minutes: list[int | None], kept: list[int]
) -> None:
    """What has no time is never near, and a row without a time has no match."""
    times = [None if m is None else NOON + m * MINUTE for m in minutes]
    centres = pa.chunked_array([pa.array([NOON] * many + [None], pa.timestamp("us", tz="UTC"))])
    rows = many + 1
    found = Matches([len(times)] * rows, [*range(len(times))] * rows)
    near = within(found, centres, times, Around(column="at", before=2 * MINUTE, after=5 * MINUTE))
    assert [near.of(row) for row in range(rows)] == [kept] * many + [[]]
