"""What a run over objects of history calls and costs, and how long it takes at least, told before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from plait.plan.costs import Forecast, default_assumptions, forecast
from plait.plan.rates import Rate, rates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.spec import Spec


class Estimate(Struct, frozen=True):
    """The calls of a number of objects, and how many of them a second each service takes, the fewest first."""

    objects: int
    costs: Forecast
    limits: tuple[Rate, ...]

    @property
    def seconds(self) -> float:
        """How long the run takes at least."""
        return self.objects / self.limits[0].objects if self.limits else 0.0


def estimate(
    spec: Spec,
    objects: int,
    batch: int,
    processes: int,
    max_rates: Mapping[str, float],
    *,
    by_function: bool = False,
) -> Estimate:
    """Estimate a run over objects that are listed, so many a batch, by processes of one's own, or by the function's.

    `max_rates` are the calls a second of services; the default quotas limit the others.
    """
    sized = replace(spec, deploy=replace(spec.deploy, batch=batch))
    known = {"starts": processes} if by_function else {"starts": processes, "seconds": 0}
    delivery = ("lambda:Invoke", "lambda:GBSeconds") if by_function else ()
    assumed = (replace(a, value=known.get(a.name, a.value)) for a in default_assumptions(sized, objects))
    costs = forecast(sized, tuple(assumed))
    lines = (line for line in costs.lines if line.source != "delivery" or line.operation in delivery)
    costs = replace(costs, lines=tuple(lines))
    limits = rates(costs)
    for service, rate in max_rates.items():
        if calls := sum(line.number for line in costs.lines if line.operation.startswith(f"{service}:")):
            limits.append(Rate(service, "`--max-rate`", rate * objects / calls))
    return Estimate(objects, costs, tuple(sorted(limits, key=lambda limit: limit.objects)))
