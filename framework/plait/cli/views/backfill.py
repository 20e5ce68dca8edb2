"""How far a backfill is, on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from plait.cli.printing import plural, print_problems_on_stderr
from plait.problems.problem import Problem

if TYPE_CHECKING:
    from plait.backfill.rounds import BatchOutcome

SECONDS_BETWEEN_LINES = 3.0
MOST_ALIKE = 5  # batches that did not end for one reason, and are shown
CLEAR_LINE = "\r\x1b[K"


class BackfillProgress:
    """A line with what is done, the rate, the time left, and what went wrong; on a terminal it stays in its place."""

    def __init__(self, batches: int, objects: int) -> None:
        self._batches, self._objects = batches, objects
        self._counts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._ended: set[int] = set()
        self._again: dict[int, dict[str, int]] = {}
        self._started = self._printed = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def add(self, outcome: BatchOutcome) -> None:
        """Count a batch that ended; one that ends again takes the place of its earlier end."""
        if outcome.failure:
            self._failures[outcome.failure] += 1
            if (alike := self._failures[outcome.failure]) <= MOST_ALIKE:
                self.close()
                more = " (further batches of which this is true are not shown)" if alike == MOST_ALIKE else ""
                message = f"batch {outcome.number} did not end: {outcome.failure}{more}"
                print_problems_on_stderr([Problem(code="batch-failed", message=message)])
            return
        counts = {**outcome.objects, "quarantined": outcome.quarantined}
        self._counts.subtract(self._again.pop(outcome.number, {}))
        self._counts.update(counts)
        if outcome.objects.get("retry"):
            self._again[outcome.number] = counts
        self._ended.add(outcome.number)
        if self._is_terminal or time.monotonic() - self._printed >= SECONDS_BETWEEN_LINES:
            self._printed = time.monotonic()
            click.echo(
                f"{CLEAR_LINE}{self._line()}" if self._is_terminal else self._line(),
                err=True,
                nl=not self._is_terminal,
            )

    def close(self) -> None:
        """Clear the line of a terminal."""
        if self._is_terminal:
            click.echo(CLEAR_LINE, err=True, nl=False)

    def _line(self) -> str:
        counts, seconds = self._counts, max(time.monotonic() - self._started, 0.001)
        rate = counts["seen"] / seconds
        parts = [
            f"batches: {len(self._ended):,} of {self._batches:,}",
            f"objects: {counts['seen']:,} of {self._objects:,}",
            f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.2g} a second",
        ]
        if rate:
            left = max(self._objects - counts["seen"], 0) / rate
            parts.append(f"{timedelta(seconds=round(left))} left")
        words = {"retry": "to try again", "failed": "failed", "gone": "gone"}
        parts += [f"{counts[outcome]:,} {word}" for outcome, word in words.items() if counts[outcome]]
        if counts["quarantined"]:
            parts.append(f"{plural(counts['quarantined'], 'record')} quarantined")
        return ", ".join(parts)
