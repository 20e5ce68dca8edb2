"""The generic Lambda function: `PLAIT_SPEC` names the spec, the event names the objects."""

from __future__ import annotations

import gc
import math
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from plait import __version__
from plait.aws_lambda.deadline import run_within
from plait.aws_lambda.events import Message, unwrap
from plait.aws_lambda.logs import line, log_as_json
from plait.engine.engine import Engine
from plait.engine.report import metrics
from plait.language.lock import PACKAGE_AGAIN, read_lock
from plait.language.validate import validate_for_run, validate_values_for_run
from plait.plugin import GiveUp, PlaitError, TryAgain
from plait.plugin.registry import Offer, pin
from plait.problems.errors import InternalError

if TYPE_CHECKING:
    from plait.aws_lambda.events import Event
    from plait.engine.report import Report
    from plait.language.validate import Validated

EVENTS = 'send events of S3, or `{"objects": [uri, …]}`'
_engines: dict[str, Engine] = {}


def handler(event: Any, context: Any = None) -> dict[str, Any]:
    """Run the pipeline over the objects of an event.

    From a queue, `batchItemFailures` names the messages that must come again. `{"objects": …}` and a Distributed Map
    get the report. Any other event raises TryAgain or GiveUp where an object must come again or failed, so that AWS
    retries. Well before the function's time ends it answers, and what is not done by then comes again.

    Outside of a queue an event of no known shape raises GiveUp before anything is read. What is a bug, in plait or in a
    connector, raises InternalError: its own text might hold a value, and whoever calls the function would be shown it.
    """
    try:
        return _handle(event, context)
    except PlaitError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is
        raise InternalError(error).with_traceback(error.__traceback__) from None


def _handle(event: Any, context: Any) -> dict[str, Any]:
    engine = _engine()
    called = unwrap(event, engine.spec.driver.buckets)
    for message in called.unknown:
        if not called.queue:
            raise GiveUp(message.unknown, code="unknown-event", help=EVENTS)
        _log("unknown-event", {"id": message.id, "why": message.unknown})
    engine.new_report().ignored = called.ignored
    begin = time.perf_counter()
    report, ended = run_within(engine, called.uris, _seconds(context))
    if not ended:
        _engines.clear()
    _log("report", report.as_json())
    _log("metrics", metrics(report, time.perf_counter() - begin, time.time()))
    if called.queue:
        return {"batchItemFailures": [{"itemIdentifier": m.id} for m in _again(called, report)]}
    if not called.direct and not report.ok:
        raise _failure(report)
    return report.as_json()


def _prepare() -> None:
    """Use the start of the process, before there is an event, for all that needs none."""
    log_as_json()
    gc.disable()  # what is loaded now stays, and looking for garbage in it is a tenth of a start
    with suppress(Exception):  # the first event meets it again, and there it is told
        _engine().prepare()
    gc.freeze()
    gc.enable()


def _seconds(context: Any) -> float:
    """How long the invocation may last, as Lambda says; without Lambda, for ever."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return left() / 1000 if left else math.inf


def _log(message: str, fields: dict[str, Any]) -> None:
    print(line({"message": message, **fields}))  # noqa: T201 - the function's log


def _engine() -> Engine:
    file = os.environ.get("PLAIT_SPEC")
    if not file:
        raise GiveUp("`PLAIT_SPEC` does not name a spec", help="set it to the spec's path in the package")
    if file not in _engines:
        try:
            found = _checked(file)
        except OSError as error:
            raise GiveUp(f"the spec `{file}` cannot be read", help="set `PLAIT_SPEC` to its path") from error
        if found.spec is None:
            lines = "; ".join(f"{p.code}: {p.message}" for p in found.errors[:5])
            raise GiveUp(f"the spec `{file}` cannot be run: {lines}", help="run `plait validate`")
        _engines[file] = Engine(found.spec)
    return _engines[file]


def _checked(file: str) -> Validated:
    """The spec as it was packaged, or, where no lock lies beside it, validated from its text."""
    lock = read_lock(file, __version__)
    if lock is None:
        return validate_for_run(file, {})
    pin(Offer(word, **to_builtins(one)) for word, one in lock.connectors.items())
    found = validate_values_for_run(lock.values, file)
    if found.spec and found.spec.digest != lock.digest:
        raise GiveUp(
            f"the lock of `{file}` is not what `plait package` wrote", code="spec-changed", help=PACKAGE_AGAIN
        )
    return found


def _again(called: Event, report: Report) -> list[Message]:
    """The messages that name an object which must come again, and those of no known shape."""
    bad = {uri for uri, outcome in report.outcomes.items() if outcome in ("retry", "failed")}
    return [m for m in called.messages if m.unknown or bad.intersection(m.uris)]


def _failure(report: Report) -> PlaitError:
    problem = next(p for p in report.problems if p.level == "error")
    retry = "retry" in report.outcomes.values()
    kind = TryAgain if retry else GiveUp
    return kind(f"{problem.message} ({problem.file})", code=problem.code, help=problem.help)


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    _prepare()
