"""How long plait waits: for an answer, between two tries, and until an invocation must have answered."""

from __future__ import annotations

import math
import os
import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plait.problems.errors import GiveUp, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 5
CONNECT = 10.0
SHARE = 3
PAUSE, LONGEST = 0.05, 10.0
MARGIN, LEAST, MOST = 0.1, 1.0, 10.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`timeout` is how many seconds a call may go unanswered, `backoff` a factor for each pause between two tries."""

    timeout: float = 30.0
    backoff: float = 1.0

    @classmethod
    def given(cls) -> RetryPolicy:
        """As `PLAIT_TIMEOUT` and `PLAIT_BACKOFF` say; raises GiveUp for what is no number."""
        least = {"PLAIT_TIMEOUT": 0.001, "PLAIT_BACKOFF": 0.0}
        given = {name: os.environ[name] for name in least if os.environ.get(name)}
        return cls(**{name[6:].lower(): _number(name, text, least[name]) for name, text in given.items()})

    @property
    def connect(self) -> float:
        """How many seconds a connection may take to be made."""
        return min(self.timeout, CONNECT)

    def pause(self, attempt: int) -> float:
        """How many seconds to wait after an attempt (1, 2, …): at random, so that those refused together part."""
        return random.uniform(0, min(PAUSE * 2**attempt, LONGEST)) * self.backoff

    def within(self, seconds: float) -> RetryPolicy:
        """No more patience than fits several times into so many seconds."""
        return replace(self, timeout=min(self.timeout, max(seconds / SHARE, 0.001)))


def _number(name: str, text: str, least: float) -> float:
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
    """When an invocation must have answered: some seconds from now, less a margin to say what became of its work.

    `seconds` is what is left for work in the beginning, and `grace` what work underway may take after that to notice
    it. Without a limit, as on a laptop, there is always time.
    """

    def __init__(self, seconds: float = math.inf, now: Callable[[], float] = time.monotonic) -> None:
        margin = min(max(seconds * MARGIN, LEAST), MOST)
        self.grace = margin / 4
        self.seconds = max(seconds - margin, 0.0)
        self._now = now
        self._end = now() + self.seconds

    def left(self) -> float:
        """How many seconds are left for work; never less than none."""
        return max(self._end - self._now(), 0.0)


def too_late() -> TryAgain:
    """There is no time left to begin something."""
    return TryAgain(
        "the function's time ends before this could be done",
        code="deadline",
        help="raise `deploy.timeout`, or lower `deploy.batch`",
    )
