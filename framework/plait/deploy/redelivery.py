"""How often and how late a queue delivers again, so that a message outlives the longest `retry_for`; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from plait.language.spec import LONGEST_WAIT

ORDINARY = 5  # deliveries that a failure of its own may use up
MOST = 1_000  # a queue's limit for `maxReceiveCount`
DAY = timedelta(days=1)
LONGEST_TIMEOUT = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redelivery:
    """What to set on a queue: after `receives` deliveries, each `visibility` after the last, a message is dead."""

    visibility: timedelta
    receives: int
    retention: timedelta


def redelivery(retry_for: timedelta, timeout: timedelta, window: timedelta = timedelta()) -> Redelivery:
    """The settings for a function of this timeout and batching window whose objects wait at most `retry_for`.

    The last delivery but one comes when the wait is over, so that an object that waited to its end is taken as
    it is and none of them is dead. As AWS advises, a message stays hidden for six timeouts and the window.
    Raises ValueError where no queue can do so.
    """
    if not timedelta() < timeout <= LONGEST_TIMEOUT or not timedelta() <= window <= LONGEST_WINDOW:
        raise ValueError("a function runs for at most 15 minutes, and a batch is collected for at most 5")
    if retry_for > LONGEST_WAIT:
        raise ValueError(f"no queue keeps a message for longer than {LONGEST_WAIT.days} days")
    hidden = max(6 * timeout + window, retry_for / (MOST - 2))
    visibility = timedelta(seconds=ceil(hidden.total_seconds()))
    receives = max(ORDINARY, ceil(retry_for / visibility) + 2)
    kept = receives * visibility + DAY
    return Redelivery(
        visibility=visibility,
        receives=receives,
        retention=min(max(kept, 4 * DAY), 14 * DAY),
    )
