"""Run the engine within the time of an invocation; objects that are not done by then are reported as `retry`."""

from __future__ import annotations

import math
import threading
from contextvars import copy_context
from copy import deepcopy
from typing import TYPE_CHECKING

from plait.aws.retries import Deadline, too_late
from plait.plugin import Item
from plait.problems.problem import Problem
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.engine.engine import Engine
    from plait.engine.report import Outcome, Report

SLICE_SIZE = 500
"""Objects of one run of the engine; the report of a finished slice is certain."""


def run_within(
    engine: Engine, uris: Sequence[str], seconds: float = math.inf
) -> tuple[Report, dict[str, Outcome], bool]:
    """Run over objects; return the report, what became of each object, and whether all work has ended after these seconds.

    If not, the unfinished objects are reported as `retry`, and a thread still waits for a service's answer. It begins
    no further call, but the engine must not be used again. Raises whatever the run raised.
    """
    engine.services.deadline = deadline = Deadline(seconds)
    run = _SlicedRun(engine, [normal_uri(uri) for uri in uris], deadline)
    if math.isinf(seconds):
        run.work()
    else:
        thread = threading.Thread(target=copy_context().run, args=(run.work,), daemon=True)
        thread.start()
        thread.join(deadline.seconds_left() + deadline.grace)
        if thread.is_alive():
            return *_with_rest_to_retry(*run.settled, run.uris), False
    if run.error is not None:
        raise run.error
    return *_with_rest_to_retry(engine.report, run.outcomes, run.uris), True


class _SlicedRun:
    """A run over slices of the objects; `settled` are the report and the outcomes when the current slice began."""

    def __init__(self, engine: Engine, uris: Sequence[str], deadline: Deadline) -> None:
        self.engine, self.uris, self.deadline = engine, uris, deadline
        self.outcomes: dict[str, Outcome] = {}
        self.settled = deepcopy(engine.report), self.outcomes.copy()
        self.error: BaseException | None = None

    def work(self) -> None:
        try:
            for start in range(0, len(self.uris), SLICE_SIZE):
                if start:
                    self.settled = deepcopy(self.engine.report), self.outcomes.copy()
                if not self.deadline.seconds_left():
                    return
                items = (Item(uri=uri) for uri in self.uris[start : start + SLICE_SIZE])
                self.engine.run(items, progress=lambda outcomes: self.outcomes.update(outcomes.by_uri))
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it again
            self.error = error


def _with_rest_to_retry(
    report: Report, outcomes: dict[str, Outcome], uris: Sequence[str]
) -> tuple[Report, dict[str, Outcome]]:
    """Report objects without an outcome as `retry`."""
    error = too_late()
    rest: dict[str, Outcome] = {uri: "retry" for uri in uris if uri not in outcomes}
    report.add_outcomes(rest)
    for uri in rest:
        report.add_problem(Problem(code=error.code, message=error.message, file=uri, help=error.help))
    return report, outcomes | rest
