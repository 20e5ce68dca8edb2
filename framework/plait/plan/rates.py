"""How fast a pipeline can go by the default quotas of the services it calls, and which batch reaches a rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plait.plan.prices import price_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait.plan.costs import Forecast

# The limits of Lambda's event source mapping of a queue.
LARGEST_BATCH, LONGEST_WINDOW_SECONDS = 10_000, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many objects a second the default quota of an operation allows, and who shares that quota."""

    operation: str
    scope: str
    objects: float


def rates(forecast: Forecast) -> list[Rate]:
    """The highest steady rate of each service by its default quota, the tightest first."""
    objects, batches, seconds = (forecast.quantities[name] for name in ("objects", "batches", "seconds"))
    units = _units_by_operation(forecast)
    limits = [
        Rate(operation=operation, scope=quota.scope, objects=quota.per_second * objects / units[operation])
        for operation, quota in price_list().quotas.items()
        if units.get(operation)
    ]
    if seconds:
        allowed = price_list().concurrency * objects / seconds
        scope = "concurrent invocations of the account"
        limits.append(Rate(operation="lambda:Invoke", scope=scope, objects=allowed))
    return sorted(limits, key=lambda rate: rate.objects) if batches else []


def _units_by_operation(forecast: Forecast) -> dict[str, float]:
    """The units that count against one quota.

    S3 counts each prefix, and each block reads or writes below a prefix of its own: there the largest line counts.
    """
    units: dict[str, float] = {}
    for line in forecast.lines:
        before = units.get(line.operation, 0)
        per_prefix = line.operation.startswith("s3:")
        units[line.operation] = max(before, line.units) if per_prefix else before + line.units
    return units


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """The smallest batch that reaches a rate, and the seconds it takes to collect."""

    batch: int
    window_seconds: int
    reached: float


def batching(rate: float, forecast_for: Callable[[int], Forecast]) -> Batching | None:
    """Find the batch that reaches a rate of objects a second; None if no batch does.

    `forecast_for` forecasts for a batch of this size.
    """
    low, high = 1, LARGEST_BATCH
    if _reached(forecast_for(high)) < rate:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _reached(forecast_for(middle)) >= rate else (middle + 1, high)
    window = min(LONGEST_WINDOW_SECONDS, math.ceil(low / rate)) if low > 1 else 0
    return Batching(batch=low, window_seconds=window, reached=_reached(forecast_for(low)))


def _reached(forecast: Forecast) -> float:
    return min((rate.objects for rate in rates(forecast)), default=math.inf)
