"""A backfill on Spark, once its package is unpacked: what the driver does, and what an executor does with a batch."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.aws_lambda.function import packaged
from plait.backfill.state import State, run_batch
from plait.backfill.summary import sum_up
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.plugin import GiveUp, PlaitError
from plait.problems.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Rates = dict[str, float]

TRIES = 3


def run_one(folder: Path, state: str, rates: Rates, number: int) -> str | None:
    """Run a batch of the plan by the engine of this process, which its first batch makes; why it was not run."""
    try:
        engine = _engine(folder, state, tuple(rates.items()))
        run_batch(engine, State(state, engine.services.objects), number)
    except PlaitError as error:
        return f"batch {number}: {error.code}: {error.message}"
    except Exception as error:  # noqa: BLE001 - a bug may raise anything, and its text may hold a value of a record
        raise InternalError(error).with_traceback(error.__traceback__) from None
    return None


@cache
def _engine(folder: Path, state: str, rates: tuple[tuple[str, float], ...]) -> Engine:
    services = Services(rates=dict(rates))
    plan = State(state, services.objects).plan()
    lock = next(folder.glob("*.lock.json"))
    spec = packaged(str(lock).replace(".lock.json", ".yaml"), plan.parameters)
    if spec.digest != plan.spec_digest:
        message = f"the plan `{state}` is of another spec than the package"
        raise GiveUp(message, code="spec-changed", help="package that spec again")
    return Engine(spec, services)


def drive(
    context: Any, run: Callable[[list[int], Rates], Iterable[str | None]], uri: str, max_rate: str
) -> int:
    """Run what is left of a plan, again where objects must come again; print the report, and return the exit code.

    `run` runs batches in the executors of Spark's `context` and gives why they were not run.
    """
    try:
        state = State(uri, Services().objects)
        rates = {
            service: float(number) / tasks_at_once(context)
            for service, _, number in (rate.partition("=") for rate in max_rate.split(",") if rate)
        }
        for _ in range(TRIES):
            if numbers := state.open_numbers():
                for failure in filter(None, run(numbers, rates)):
                    print(f"error: {failure}", file=sys.stderr)
        report, left = sum_up(state), len(state.open_numbers())
    except PlaitError as error:
        print(f"error[{error.code}]: {error.message}", file=sys.stderr)
        return 1
    print(json.dumps({**report.as_json(), "state": state.uri, "batches_left": left}))
    return int(not report.ok or left > 0)


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
