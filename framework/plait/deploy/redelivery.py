"""Compute the settings of a queue under which a message outlives the longest `retry_for`."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import NamedTuple

from plait.language.spec import LONGEST_WAIT

FEWEST_RECEIVES = 5  # so that an ordinary failure is retried a few times
MOST_RECEIVES = 1_000  # a queue's limit for `maxReceiveCount`
DAY = timedelta(days=1)
LONGEST_TIMEOUT = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(minutes=5)


class Redelivery(NamedTuple):
    """Settings of a queue: a message is delivered `receives` times, `visibility` apart, and then is a dead letter."""

    visibility: timedelta
    receives: int
    retention: timedelta


def redelivery(retry_for: timedelta, timeout: timedelta, window: timedelta = timedelta()) -> Redelivery:
    """The settings of a queue whose objects wait at most `retry_for`, for a function's timeout and batching window.

    The last delivery but one comes after the wait is over, when an object is taken as it is, so that waiting alone
    never makes a dead letter. As AWS advises, a message stays hidden for six timeouts and the window.
    Raises ValueError if a duration is beyond what Lambda or SQS allow.
    """
    if not timedelta() < timeout <= LONGEST_TIMEOUT or not timedelta() <= window <= LONGEST_WINDOW:
        raise ValueError("a function runs for at most 15 minutes, and a batch is collected for at most 5")
    if retry_for > LONGEST_WAIT:
        raise ValueError(f"no queue keeps a message for longer than {LONGEST_WAIT.days} days")
    shortest = max(6 * timeout + window, retry_for / (MOST_RECEIVES - 2))
    visibility = timedelta(seconds=ceil(shortest.total_seconds()))
    receives = max(FEWEST_RECEIVES, ceil(retry_for / visibility) + 2)
    retention = min(max(receives * visibility + DAY, 4 * DAY), 14 * DAY)
    return Redelivery(visibility, receives, retention)
