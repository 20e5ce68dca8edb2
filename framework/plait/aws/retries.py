"""How long plait waits: for an answer, between two tries, and until an invocation must have answered."""

from __future__ import annotations

import math
import os
import random
import time
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from plait.problems.errors import GiveUp, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TRIES = 5
# Seconds, but for the two shares of the time that an invocation has.
MAX_CONNECT = 10.0
CALLS_WITHIN_TIME = 3
FIRST_PAUSE, MAX_PAUSE = 0.05, 10.0
MARGIN_SHARE, MIN_MARGIN, MAX_MARGIN = 0.1, 1.0, 10.0


class RetryPolicy(Struct, frozen=True):
    """How long clients wait for an answer and between tries.

    `timeout` is how many seconds a call may go unanswered, `backoff` a factor for each pause between two tries.
    """

    timeout: float = 30.0
    backoff: float = 1.0

    @classmethod
    def from_environment(cls) -> RetryPolicy:
        """The policy that `PLAIT_TIMEOUT` and `PLAIT_BACKOFF` set; raises GiveUp for a value that is no number."""
        least = {"PLAIT_TIMEOUT": 0.001, "PLAIT_BACKOFF": 0.0}
        texts = {name: os.environ[name] for name in least if os.environ.get(name)}
        return cls(**{name[6:].lower(): _number_of(name, text, least[name]) for name, text in texts.items()})

    @property
    def connect(self) -> float:
        """How many seconds a connection may take to be made."""
        return min(self.timeout, MAX_CONNECT)

    def pause(self, attempt: int) -> float:
        """How many seconds to wait after an attempt (1, 2, …); random, so that callers refused together come apart."""
        return random.uniform(0, min(FIRST_PAUSE * 2**attempt, MAX_PAUSE)) * self.backoff

    def within(self, seconds: float) -> RetryPolicy:
        """The policy with a timeout so short that several calls fit into that many seconds."""
        return replace(self, timeout=min(self.timeout, max(seconds / CALLS_WITHIN_TIME, 0.001)))


def _number_of(name: str, text: str, least: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise GiveUp(
            f"`{name}` is no number of {least:g} or more", help=f"leave out `{name}`, or set it to 1"
        )
    return number


class Deadline:
    """When an invocation must have answered: some seconds from now, less a margin in which to report its work.

    `seconds` is how long there is for work at the start, and `grace` how many seconds more work underway may take to
    notice that the time is over. Without a limit, as on a laptop, there is always time.
    """

    def __init__(self, seconds: float = math.inf, now: Callable[[], float] = time.monotonic) -> None:
        margin = min(max(seconds * MARGIN_SHARE, MIN_MARGIN), MAX_MARGIN)
        self.grace = margin / 4
        self.seconds = max(seconds - margin, 0.0)
        self._now = now
        self._end = now() + self.seconds

    def seconds_left(self) -> float:
        """How many seconds are left for work, 0 or more."""
        return max(self._end - self._now(), 0.0)


def too_late() -> TryAgain:
    """The error for work that cannot begin because no time is left."""
    return TryAgain(
        "the function's time ends before this could be done",
        code="deadline",
        help="raise `deploy.timeout`, or lower `deploy.batch`",
    )
