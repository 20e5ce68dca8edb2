"""How fast a pipeline can go by the default quotas of the services it calls, and which batch reaches a rate."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

from msgspec import Struct

from plait.plan.costs import price_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait.plan.costs import Forecast

# The limits of Lambda's event source mapping of a queue.
LARGEST_BATCH, LONGEST_WINDOW_SECONDS = 10_000, 300


class Rate(Struct, frozen=True):
    """How many objects a second the default quota of an operation allows, and who shares that quota."""

    operation: str
    scope: str
    objects: float


def rates(forecast: Forecast) -> list[Rate]:
    """The highest steady rate of each service by its default quota, the tightest first.

    S3 counts each prefix, and each block reads or writes below a prefix of its own: there the largest line counts.
    """
    units: dict[str, float] = {}
    for line in forecast.lines:
        before = units.get(line.operation, 0)
        largest = line.operation.startswith("s3:")
        units[line.operation] = max(before, line.units) if largest else before + line.units
    objects, prices = forecast.quantities["objects"], price_list()
    limits = [
        Rate(operation, quota.scope, quota.per_second * objects / units[operation])
        for operation, quota in prices.quotas.items()
        if units.get(operation)
    ]
    if seconds := forecast.quantities["seconds"]:
        allowed = prices.concurrency * objects / seconds
        limits.append(Rate("lambda:Invoke", "concurrent invocations of the account", allowed))
    return sorted(limits, key=lambda rate: rate.objects) if forecast.quantities["batches"] else []


class Batching(Struct, frozen=True):
    """The smallest batch that reaches a rate, and the seconds it takes to collect."""

    batch: int
    window_seconds: int
    reached: float


def batching(rate: float, forecast_for: Callable[[int], Forecast]) -> Batching | None:
    """Find the batch that reaches a rate of objects a second; None if no batch does.

    `forecast_for` forecasts for a batch of this size.
    """

    def reached(batch: int) -> float:
        return min((limit.objects for limit in rates(forecast_for(batch))), default=math.inf)

    batch = 1 + bisect_left(range(1, LARGEST_BATCH + 1), rate, key=reached)
    if batch > LARGEST_BATCH:
        return None
    window = min(LONGEST_WINDOW_SECONDS, math.ceil(batch / rate)) if batch > 1 else 0
    return Batching(batch, window, reached(batch))
