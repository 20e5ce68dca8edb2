"""The settings of a queue: a message outlives the longest wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plait.deploy.redelivery import redelivery
from plait.language.spec import LONGEST_WAIT

SECOND = timedelta(seconds=1)
seconds = st.integers(1, int(LONGEST_WAIT.total_seconds())).map(lambda n: n * SECOND)


@pytest.mark.fault("W1")
@given(retry_for=seconds, timeout=st.integers(1, 900).map(lambda n: n * SECOND), window=st.integers(0, 300))
@example(retry_for=LONGEST_WAIT, timeout=SECOND, window=0)
@example(retry_for=LONGEST_WAIT, timeout=900 * SECOND, window=300)
def test_deliveries_outlast_the_wait_with_one_to_spare(
    retry_for: timedelta, timeout: timedelta, window: int
) -> None:
    """The last delivery but one finds the object old enough to be taken as it is, and the queue keeps the message."""
    settings = redelivery(retry_for, timeout, window * SECOND)
    assert (settings.receives - 2) * settings.visibility >= retry_for
    assert settings.receives * settings.visibility >= retry_for + 2 * settings.visibility
    assert settings.receives * settings.visibility <= settings.retention


@given(retry_for=seconds, timeout=st.integers(1, 900).map(lambda n: n * SECOND))
def test_the_settings_are_within_what_a_queue_takes(retry_for: timedelta, timeout: timedelta) -> None:
    """Whole seconds, a visibility of at least six timeouts and at most twelve hours, 1 to 1,000 deliveries."""
    settings = redelivery(retry_for, timeout)
    assert settings.visibility % SECOND == timedelta()
    assert 6 * timeout <= settings.visibility <= timedelta(hours=12)
    assert 5 <= settings.receives <= 1000
    assert timedelta(days=4) <= settings.retention <= timedelta(days=14)


def test_without_a_wait_a_failure_still_has_five_deliveries() -> None:
    assert redelivery(timedelta(), timedelta(minutes=1)).receives == 5


@pytest.mark.parametrize(
    ("retry_for", "timeout", "window"),
    [(14 * 86400, 60, 0), (600, 901, 0), (600, 0, 0), (600, 60, 301)],
)
def test_what_no_queue_or_function_can_do_is_refused(retry_for: int, timeout: int, window: int) -> None:
    with pytest.raises(ValueError, match=r"at most|longer than"):
        redelivery(retry_for * SECOND, timeout * SECOND, window * SECOND)
