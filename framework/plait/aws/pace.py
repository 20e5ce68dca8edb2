"""How fast calls may begin: of each service, so many a second."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Pace:
    """Gives calls their turns, evenly spread; `rates` are calls a second by service, such as `s3`. Safe for threads."""

    def __init__(self, rates: Mapping[str, float], now: Callable[[], float] = time.monotonic) -> None:
        self._rates, self._now = rates, now
        self._lock = threading.Lock()
        self._next_turn: dict[str, float] = {}

    def take_turn(self, operation: str, calls: int) -> float:
        """Return how many seconds the next calls of an operation, such as `s3:GetObject`, have to wait for their turn."""
        service = operation.partition(":")[0]
        if service not in self._rates:
            return 0.0
        with self._lock:
            now = self._now()
            turn = max(self._next_turn.get(service, now), now)
            self._next_turn[service] = turn + calls / self._rates[service]
        return turn - now
