"""Each limit holds at its number and not one beyond it, and says what it is and what raises it."""

from __future__ import annotations

import pytest

from integration.values.limits import BAD, LIMITS, Limit


@pytest.mark.fault("J3", "J4", "J8", "J12", "P11")
@pytest.mark.parametrize("limit", [limit for limit in LIMITS if limit.work], ids=lambda limit: limit.what)
def test_a_limit_holds_at_its_number_and_not_beyond(limit: Limit) -> None:
    """What is told beyond it names the option that raises it, where there is one."""
    within, beyond = limit.tried()
    assert within is None
    assert beyond
    assert limit.raised in beyond
    assert limit.beyond == BAD or beyond == "not asked "
