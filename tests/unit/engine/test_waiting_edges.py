"""How a wait for a late match is told, and what does not wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from plait.engine.waiting import wait_ends, why_late
from plait.language.spec import Join
from plait.plugin import Item
from unit.engine.test_join import ON, source

BORN = datetime(2026, 7, 1, 12, tzinfo=UTC)
OLD, AGELESS = Item(uri="s3://b/1", modified=BORN), Item(uri="s3://b/1")
TEN = source(Join(on=ON, missing="retry", retry_for=timedelta(minutes=10)))
HOUR = replace(TEN, name="t", join=Join(on=ON, missing="retry", retry_for=timedelta(hours=1)))


@pytest.mark.parametrize(
    ("minutes", "message", "note"),
    [
        (0, "`s`, `t` have no match yet", "waited for until 2026-07-01T13:00:00Z"),
        (10, "`t` has no match yet", "waited for until 2026-07-01T13:00:00Z"),
        (60, None, None),
    ],
)
def test_a_wait_is_told_with_its_end_and_the_way_around_it(
    minutes: int, message: str | None, note: str | None
) -> None:
    late = why_late(OLD, [TEN, HOUR], BORN + timedelta(minutes=minutes))
    assert (late and late.message, late and late.note) == (message, note)
    assert late is None or (late.code, late.help) == (
        "not-there-yet",
        "`plait run --no-wait` takes it as it is",
    )


def test_nothing_waits_without_an_age_or_a_limit() -> None:
    """Nor a source that is no look-up."""
    assert wait_ends(OLD, TEN) == BORN + timedelta(minutes=10)
    for item, lookup in [(AGELESS, TEN), (OLD, source(Join(on=ON))), (OLD, replace(TEN, join=None))]:
        assert wait_ends(item, lookup) is None
