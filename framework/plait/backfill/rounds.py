"""What becomes of a batch wherever it runs, and rounds over batches, since some objects must come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from plait.backfill.state import run_batch
from plait.plugin import PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from plait.backfill.state import State
    from plait.engine.engine import Engine

TRIES = 3  # of a batch with objects that must come again, or that did not end and may


class BatchOutcome(Struct, frozen=True, kw_only=True):
    """What became of a batch's objects, and whether it is to run `again`; a batch that did not end has a `failure`."""

    number: int
    objects: dict[str, int] = {}
    quarantined: int = 0
    failure: str = ""
    again: bool = False


def run_one(engine: Engine, state: State, number: int) -> BatchOutcome:
    """Run a batch; what keeps it from ending is told by what is returned."""
    try:
        report = run_batch(engine, state, number)
    except PlaitError as error:
        return did_not_end(number, error)
    objects, quarantined = report.objects, report.records.quarantined
    return BatchOutcome(number=number, objects=objects, quarantined=quarantined, again=objects["retry"] > 0)


def did_not_end(number: int, error: PlaitError) -> BatchOutcome:
    """What became of a batch that an error kept from ending."""
    failure = f"{error.code}: {error.message}"
    return BatchOutcome(number=number, failure=failure, again=isinstance(error, TryAgain))


def run_again(
    run: Callable[[Sequence[int]], Iterable[BatchOutcome]], numbers: Sequence[int]
) -> Generator[BatchOutcome]:
    """Run batches and yield what becomes of each; those to run again are run at the end."""
    for _ in range(TRIES):
        if not numbers:
            return
        again = []
        for outcome in run(numbers):
            if outcome.again:
                again.append(outcome.number)
            yield outcome
        numbers = again
