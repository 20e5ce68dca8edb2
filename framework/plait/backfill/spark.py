"""A backfill on Spark, once its package is unpacked: what the driver does, and what an executor does with a batch."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from plait import __version__
from plait.aws_lambda.function import packaged
from plait.backfill.rounds import did_not_end, run_again, run_one
from plait.backfill.state import State
from plait.backfill.summary import sum_up
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.plugin import GiveUp, PlaitError
from plait.problems.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from plait.backfill.rounds import BatchOutcome

    Rates = dict[str, float]


def run_in_process(folder: Path, state: str, rates: Rates, number: int) -> BatchOutcome:
    """Run a batch of the plan by the engine of this process, which its first batch makes."""
    try:
        return run_one(*_open(folder, state, tuple(rates.items())), number)
    except PlaitError as error:
        return did_not_end(number, error)
    except Exception as error:  # noqa: BLE001 - a bug may raise anything, and its text may hold a value of a record
        raise InternalError(error).with_traceback(error.__traceback__) from None


@cache
def _open(folder: Path, uri: str, rates: tuple[tuple[str, float], ...]) -> tuple[Engine, State]:
    state = State(uri, Services().objects)
    plan, lock = state.plan(), next(folder.glob("*.lock.json"))
    spec = packaged(str(lock).replace(".lock.json", ".yaml"), plan.parameters)
    if (plan.spec_digest, plan.version) != (spec.digest, __version__):
        message = f"the plan `{uri}` is of another spec or version of plait than the package"
        raise GiveUp(message, code="spec-changed", help="package the spec of the plan, by that version")
    return Engine(spec, Services(rates=dict(rates))), state


def drive(
    context: Any,
    run: Callable[[Sequence[int], Rates], Iterable[BatchOutcome]],
    folder: Path,
    uri: str,
    max_rate: str,
) -> int:
    """Run what is left of a plan in the executors of Spark's `context`; print the report, and return the exit code."""
    try:
        _, state = _open(folder, uri, ())
        numbers, rates = state.open_numbers(), rates_of(max_rate)
        if rates and numbers:
            at_once = min(tasks_at_once(context), len(numbers))
            rates = {service: rate / at_once for service, rate in rates.items()}
        try:
            for outcome in run_again(lambda numbers: run(numbers, rates), numbers):
                if outcome.failure:
                    print(f"error: batch {outcome.number}: {outcome.failure}", file=sys.stderr)
        finally:  # also where Spark gives up, as it does where a batch ends its process each time
            report, left = sum_up(state), len(state.open_numbers())
            print(json.dumps({**report.as_json(), "state": state.uri, "batches_left": left}))
    except PlaitError as error:
        help = f"\n  = help: {error.help}" if error.help else ""
        print(f"error[{error.code}]: {error.message}{help}", file=sys.stderr)
        return 1
    return int(not report.ok or left > 0)


def rates_of(text: str) -> Rates:
    """Calls a second by service, of `s3=1000,logs=5`; raises GiveUp."""
    pairs = [word.partition("=") for word in text.split(",") if word]
    with suppress(ValueError):
        rates = {service: float(rate) for service, _, rate in pairs}
        if all(rate > 0 for rate in rates.values()):
            return rates
    message, help = f"`--max-rate {text[:80]}` is no rate", "write calls a second by service: s3=1000,logs=5"
    raise GiveUp(message, code="usage", help=help)


def tasks_at_once(context: Any) -> int:
    """How many batches all executors run at once, by Spark's settings; raises GiveUp if these do not limit them."""
    conf = context.getConf()
    if context.master.startswith("local"):
        return int(context.defaultParallelism)
    is_dynamic = conf.get("spark.dynamicAllocation.enabled") == "true"
    name = "spark.dynamicAllocation.maxExecutors" if is_dynamic else "spark.executor.instances"
    executors, cores = conf.get(name, ""), conf.get("spark.executor.cores", "")
    if not (executors.isdigit() and cores.isdigit()):
        message = "nothing says how many executors there are, so a rate cannot be divided by them"
        help = f"set `{name}` and `spark.executor.cores`"
        raise GiveUp(message, code="unknown-executors", help=help)
    return int(executors) * (int(cores) // int(conf.get("spark.task.cpus", "1")))
