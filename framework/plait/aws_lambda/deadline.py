"""A run that answers before its invocation ends: what is not done by then comes again."""

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

SLICE = 500


def run_within(engine: Engine, uris: Sequence[str], seconds: float = math.inf) -> tuple[Report, bool]:
    """Run over objects and return the report and whether all work has ended.

    Where it has not, a thread still waits for an answer. It can begin no further call, but the engine is not to be
    used again. What was not settled by then is reported as `retry`.
    """
    engine.services.deadline = deadline = Deadline(seconds)
    run = _Run(engine, [normal_uri(uri) for uri in uris], deadline)
    if math.isinf(seconds):
        run.work()
    else:
        thread = threading.Thread(target=copy_context().run, args=(run.work,), daemon=True)
        thread.start()
        thread.join(deadline.left() + deadline.grace)
        if thread.is_alive():
            return run.so_far(), False
    if run.error is not None:
        raise run.error
    return engine.report, True


class _Run:
    """Slices of objects in turn; `settled` is the report as it stood when the slice underway began."""

    def __init__(self, engine: Engine, uris: Sequence[str], deadline: Deadline) -> None:
        self.engine, self.uris, self.deadline = engine, uris, deadline
        self.settled = deepcopy(engine.report)
        self.error: BaseException | None = None

    def work(self) -> None:
        try:
            for start in range(0, len(self.uris), SLICE):
                if start:
                    self.settled = deepcopy(self.engine.report)
                if not self.deadline.left():
                    _leave(self.engine.report, self.uris)
                    return
                self.engine.run(Item(uri=uri) for uri in self.uris[start : start + SLICE])
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self.error = error

    def so_far(self) -> Report:
        report = self.settled
        _leave(report, self.uris)
        return report


def _leave(report: Report, uris: Sequence[str]) -> None:
    """Let objects without an outcome come again."""
    late = too_late()
    for uri in dict.fromkeys(uris):
        if uri not in report.outcomes:
            report.outcomes[uri] = "retry"
            report.add_problem(Problem(code=late.code, message=late.message, file=uri, help=late.help))
