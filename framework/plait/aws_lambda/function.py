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
from plait.aws_lambda.logs import json_line, log_as_json, lookup_metrics, metrics, short_report
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.language.build import packaged_spec
from plait.language.lock import PACKAGE_AGAIN, read_lock
from plait.plugin import GiveUp, PlaitError, TryAgain
from plait.plugin.registry import Offer, pin
from plait.problems.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.aws_lambda.events import Event
    from plait.engine.report import Outcome, Report
    from plait.language.spec import Spec

MAX_RESULT = 1_000
EVENTS_HELP = 'send events of S3, or `{"objects": [uri, …]}`'
_engines: dict[str, Engine] = {}


def handler(event: Any, context: Any = None) -> dict[str, Any]:
    """Run the pipeline over the objects of an event.

    For a queue, `batchItemFailures` names the messages that SQS must deliver again. `{"objects": …}` and a Distributed
    Map get the report, and a job of S3 Batch Operations a result for each of its tasks. Any other event raises TryAgain
    or GiveUp if an object must be tried again or failed, so that AWS retries. The function answers well before its time ends; objects that are not done by then are tried again.

    Outside of a queue an event of unknown shape raises GiveUp before anything is read. A bug, in plait or in a
    connector, raises InternalError: the text of the original error might hold a value of a record, and the caller of
    the function would see it.
    """
    try:
        return _handle(event, context)
    except PlaitError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug may raise anything
        raise InternalError(error).with_traceback(error.__traceback__) from None


def _handle(event: Any, context: Any) -> dict[str, Any]:
    engine = _engine()
    unwrapped = unwrap(event, engine.spec.driver.buckets)
    for message in unwrapped.unknown:
        if not unwrapped.queue and unwrapped.invocation is None:
            raise GiveUp(message.unknown, code="unknown-event", help=EVENTS_HELP)
        _log("unknown-event", {"id": message.id, "why": message.unknown})
    batch = None
    if unwrapped.direct and "backfill" in event:
        from plait.aws_lambda.marker import batch_of

        batch = batch_of(event, engine.spec)
    engine.new_report().ignored = unwrapped.ignored
    started = time.perf_counter()
    report, outcomes, ended = run_within(engine, unwrapped.uris, _remaining_seconds(context))
    if not ended:
        _engines.clear()
    answer = short_report(report)
    _log("report", answer)
    now = time.time()
    _log("metrics", metrics(report, time.perf_counter() - started, now))
    for line in lookup_metrics(report, now):
        _log("metrics", line)
    if unwrapped.queue:
        return {
            "batchItemFailures": [
                {"itemIdentifier": message.id} for message in _messages_to_retry(unwrapped, outcomes)
            ]
        }
    if unwrapped.invocation is not None:
        return _task_results(unwrapped, report, outcomes)
    if batch:
        from plait.aws_lambda.marker import put_marker

        put_marker(Services().objects, *batch, report)  # by calls that have time of their own
    elif not unwrapped.direct and not report.ok:
        raise _failure(report)
    return answer


def _prepare() -> None:
    """Load the spec and the engine at the start of the process, before the first event."""
    log_as_json()
    gc.disable()  # what is loaded now is never garbage, and looking for some takes a tenth of the start
    with suppress(Exception):  # the first event raises it again, and the caller sees it
        _engine().prepare()
    gc.freeze()
    gc.enable()


def _remaining_seconds(context: Any) -> float:
    """How long the invocation may last, as Lambda's context says; infinite without one."""
    remaining_millis = getattr(context, "get_remaining_time_in_millis", None)
    return remaining_millis() / 1000 if remaining_millis else math.inf


def _log(message: str, fields: dict[str, Any]) -> None:
    """Write one line of JSON to the function's log."""
    print(json_line({"message": message, **fields}))  # noqa: T201 - the function's log


def _engine() -> Engine:
    """The engine of the spec that `PLAIT_SPEC` names, built once a process; raises GiveUp where there is none."""
    file = os.environ.get("PLAIT_SPEC")
    if not file:
        raise GiveUp("`PLAIT_SPEC` does not name a spec", help="set it to the spec's path in the package")
    if file not in _engines:
        try:
            _engines[file] = Engine(packaged(file))
        except OSError as error:
            raise GiveUp(f"the spec `{file}` cannot be read", help="set `PLAIT_SPEC` to its path") from error
    return _engines[file]


def packaged(file: str, parameters: Mapping[str, str] | None = None) -> Spec:
    """The spec as it was packaged, with these parameters, or those of this environment; raises GiveUp."""
    lock = read_lock(file, __version__)
    pin(Offer(word, **to_builtins(locked)) for word, locked in lock.connectors.items())
    spec = packaged_spec(lock.values, file, os.environ, parameters)
    if spec.digest != lock.digest:
        raise GiveUp(
            f"the lock of `{file}` is not what `plait package` wrote", code="spec-changed", help=PACKAGE_AGAIN
        )
    return spec


def _messages_to_retry(event: Event, outcomes: Mapping[str, Outcome]) -> list[Message]:
    """The messages of unknown shape, and those that name an object that must be tried again or failed."""
    unfinished = {uri for uri, outcome in outcomes.items() if outcome in ("retry", "failed")}
    return [message for message in event.messages if message.unknown or unfinished.intersection(message.uris)]


def _task_results(event: Event, report: Report, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The answer to a job of S3 Batch Operations (S3's user guide, "Invoke AWS Lambda function")."""
    errors = {problem.file: problem.message for problem in reversed(report.problems)}
    codes = {"retry": "TemporaryFailure", "failed": "PermanentFailure"}
    results = []
    for message in event.messages:
        outcome = "failed" if message.unknown else outcomes.get(message.uris[0], "done")
        text = message.unknown or errors.get(message.uris[0], outcome)
        code = codes.get(outcome, "Succeeded")
        results.append({"taskId": message.id, "resultCode": code, "resultString": text[:MAX_RESULT]})
    answer = {
        name: (event.invocation or {}).get(name) for name in ("invocationSchemaVersion", "invocationId")
    }
    return {**answer, "treatMissingKeysAs": "PermanentFailure", "results": results}


def _failure(report: Report) -> PlaitError:
    """The first error of a report as the exception that the function raises."""
    problem = next(problem for problem in report.problems if problem.level == "error")
    error_type = TryAgain if report.counts["retry"] else GiveUp
    return error_type(f"{problem.message} ({problem.file})", code=problem.code, help=problem.help)


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    _prepare()
