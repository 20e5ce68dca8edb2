"""How far a backfill is, as its lines on stderr tell it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plait.backfill.rounds import BatchOutcome
from plait.cli.views import backfill as view
from plait.cli.views.backfill import BackfillProgress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that have passed, as one that can be set."""
    now = [0.0]
    monkeypatch.setattr(view, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def outcome(number: int, **counts: int) -> BatchOutcome:
    objects = {"seen": 100, "done": 100, "retry": 0, "failed": 0, "gone": 0, **counts}
    return BatchOutcome(number=number, objects=objects, quarantined=3, again=objects["retry"] > 0)


def test_a_line_tells_rate_time_left_and_what_went_wrong(clock: list[float], capsys: Any) -> None:
    """A batch that ran again counts once, as it ended last."""
    progress = BackfillProgress(4, 400)
    clock[0] = 10
    progress.add(outcome(1, retry=2, failed=1))
    clock[0] = 20
    progress.add(outcome(2))
    clock[0] = 25
    progress.add(outcome(1, failed=1))
    assert capsys.readouterr().err.splitlines() == [
        "batches: 1 of 4, objects: 100 of 400, 10 a second, 0:00:30 left, 2 to try again, 1 failed, 3 records quarantined",
        "batches: 2 of 4, objects: 200 of 400, 10 a second, 0:00:20 left, 2 to try again, 1 failed, 6 records quarantined",
        "batches: 2 of 4, objects: 200 of 400, 8 a second, 0:00:25 left, 1 failed, 6 records quarantined",
    ]


def test_a_slow_rate_is_none_of_zero(clock: list[float], capsys: Any) -> None:
    progress = BackfillProgress(4, 400)
    clock[0] = 250
    progress.add(outcome(1))
    assert ", 0.4 a second, 0:12:30 left, " in capsys.readouterr().err


def test_lines_come_a_few_seconds_apart_and_failures_at_once(clock: list[float], capsys: Any) -> None:
    progress = BackfillProgress(4, 400)
    clock[0] = 1
    progress.add(outcome(1))
    progress.add(BatchOutcome(number=2, failure="its process ended", again=True))
    assert capsys.readouterr().err.splitlines() == [
        "error[batch-failed]: batch 2 did not end: its process ended"
    ]


def test_of_many_batches_that_end_alike_some_are_shown(capsys: Any) -> None:
    """As where no batch can begin, or the function is of another spec."""
    progress = BackfillProgress(1_000, 1_000)
    for number in range(1, 1_000):
        progress.add(
            BatchOutcome(number=number, failure="denied: no right" if number != 500 else "its process ended")
        )
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[2] for line in lines] == ["1", "2", "3", "4", "5", "500"]
    assert lines[4].endswith("denied: no right (further batches of which this is true are not shown)")
