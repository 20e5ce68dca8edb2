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
    from plait.engine.report import Report

SLICE_SIZE = 500
"""Objects of one run of the engine; the report of a finished slice is certain."""


def run_within(engine: Engine, uris: Sequence[str], seconds: float = math.inf) -> tuple[Report, bool]:
    """Run over objects; return the report, and whether all work has ended after this many seconds.

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
            return run.unfinished_report(), False
    if run.error is not None:
        raise run.error
    return engine.report, True


class _SlicedRun:
    """A run over slices of the objects; `settled` is the report as it was when the current slice began."""

    def __init__(self, engine: Engine, uris: Sequence[str], deadline: Deadline) -> None:
        self.engine, self.uris, self.deadline = engine, uris, deadline
        self.settled = deepcopy(engine.report)
        self.error: BaseException | None = None

    def work(self) -> None:
        try:
            for start in range(0, len(self.uris), SLICE_SIZE):
                if start:
                    self.settled = deepcopy(self.engine.report)
                if not self.deadline.seconds_left():
                    _mark_for_retry(self.engine.report, self.uris)
                    return
                self.engine.run(Item(uri=uri) for uri in self.uris[start : start + SLICE_SIZE])
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it again
            self.error = error

    def unfinished_report(self) -> Report:
        report = self.settled
        _mark_for_retry(report, self.uris)
        return report


def _mark_for_retry(report: Report, uris: Sequence[str]) -> None:
    """Report objects without an outcome as `retry`."""
    error = too_late()
    for uri in dict.fromkeys(uris):
        if uri not in report.outcomes:
            report.outcomes[uri] = "retry"
            report.add_problem(Problem(code=error.code, message=error.message, file=uri, help=error.help))
