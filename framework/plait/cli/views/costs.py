"""What a pipeline calls and costs, as text and as JSON; `pipelines/COSTS.md` has every key."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict, replace

from plait.cli.failures import CannotStart
from plait.deploy.policy import grants
from plait.deploy.stack import event_pattern
from plait.language.spec import options_of_type
from plait.plan.costs import (
    Forecast,
    assumptions_of_report,
    default_assumptions,
    forecast,
    price_list,
    swings,
)
from plait.plan.rates import Batching, batching, rates
from plait.plugin import DriverPath
from plait.problems.display import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.language.spec import Spec
    from plait.plan.costs import Assumption, CostLine
    from plait.plan.estimate import Estimate


def assumptions_for(spec: Spec, objects: int, report_file: str | None) -> tuple[Assumption, ...]:
    """The quantities that a report file has, or those assumed for this number of objects; raises CannotStart."""
    if report_file is None:
        return default_assumptions(spec, objects)
    try:
        return assumptions_of_report(spec, json.loads(Path(report_file).read_bytes()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"`{report_file}` is no report of `{spec.name}`"
        raise CannotStart(
            message, code="no-report", help="give the JSON that `plait run -o json` prints"
        ) from error


def smallest_batch(spec: Spec, objects: int, rate: float) -> Batching | None:
    """The smallest batch that reaches a rate of objects a second; None where no batch does."""

    def forecast_of(batch: int) -> Forecast:
        sized = replace(spec, deploy=replace(spec.deploy, batch=batch))
        return forecast(sized, default_assumptions(sized, objects))

    return batching(rate, forecast_of)


def cost_paragraphs(
    spec: Spec, costs: Forecast, rate: float | None, advised: Batching | None
) -> Iterable[str]:
    """The paragraphs of a forecast; `rate` is the objects a second that are asked for, `advised` the batch for them."""
    calls = [
        (line.operation, f"{line.number:,.0f}", line.formula, line.source, _dollars(line))
        for line in costs.lines
    ]
    yield aligned([("call", "times", "formula", "for", "USD"), *calls])
    assumed_rows = [(quantity.name, f"{quantity.value:,.0f}", quantity.why) for quantity in costs.assumptions]
    yield aligned([("assumed", "is", "because"), *assumed_rows])
    yield "\n".join(_price_lines(spec, costs))
    limits = [(limit.operation, f"{limit.objects:,.0f}", limit.scope) for limit in rates(costs)]
    if limits:
        yield aligned([("default quota of", "objects a second", "shared by"), *limits])
    if rate is not None:
        yield _advice(rate, advised)
    yield from _event_rule_lines(spec)
    yield f"IAM actions: {', '.join(_iam_actions(spec)) or 'none'} (`plait policy` has their resources)"


def _dollars(line: CostLine) -> str:
    return "unknown price" if line.dollars is None else f"{line.dollars:,.2f}"


def _iam_actions(spec: Spec) -> list[str]:
    return [*dict.fromkeys(grant.action for grant in grants(spec))]


def _event_rule_lines(spec: Spec) -> Iterable[str]:
    """The keys that the event rule lets through; its wildcard does not stop at `/`, so the path may match fewer."""
    for path in (path for path in options_of_type(spec.driver.options, DriverPath) if path.bucket):
        key = event_pattern(path)["detail"]["object"]["key"][0]
        wildcard = key["wildcard"] if isinstance(key, dict) else key
        yield (
            f"event rule: keys `{wildcard}` of `{path.bucket}`, where `*` runs across `/`;"
            " what is beyond the path is skipped and counted"
        )


def _price_lines(spec: Spec, costs: Forecast) -> Iterable[str]:
    yield f"price: {_price(costs)}"
    largest_first = swings(spec, costs.assumptions)
    if largest_first:
        name, added_dollars = largest_first[0]
        yield f"most moved by `{name}`: twice as many cost ${added_dollars:,.2f} more"


def _price(costs: Forecast) -> str:
    without = f" without {', '.join(costs.unpriced)}, of unknown price" if costs.unpriced else ""
    return f"${costs.dollars:,.2f}{without}, at {price_list().basis} of {price_list().as_of}"


def _advice(rate: float, advised: Batching | None) -> str:
    if advised is None:
        return f"no batch reaches {rate:g} objects a second within the default quotas"
    window = f", window: {advised.window_seconds}s" if advised.window_seconds else ""
    return f"{rate:g} objects a second are reached by `deploy: {{batch: {advised.batch}{window}}}`"


def cost_document(
    spec: Spec, costs: Forecast, rate: float | None, advised: Batching | None
) -> dict[str, Any]:
    """The forecast as JSON, as a part of the plan's document."""
    prices = price_list().prices
    return {
        "assumptions": [asdict(quantity) for quantity in costs.assumptions],
        "calls": costs.calls,
        "lines": [
            {**asdict(line), "unit": prices[line.operation].unit if line.operation in prices else None}
            for line in costs.lines
        ],
        "dollars": round(costs.dollars, 6),
        "unpriced": costs.unpriced,
        "prices": {"as_of": price_list().as_of, "where": price_list().basis},
        "swings": [
            {"assumption": name, "dollars": round(added_dollars, 6)}
            for name, added_dollars in swings(spec, costs.assumptions)
        ],
        "rates": [asdict(limit) for limit in rates(costs)],
        "batching": None if rate is None or advised is None else {"rate": rate, **asdict(advised)},
        "iam_actions": _iam_actions(spec),
    }


def estimate_text(told: Estimate, size: int | None) -> str:
    """The estimate of a run over objects of so many bytes, None where they are not known."""
    from rich.filesize import decimal

    costs = told.costs
    rows = [
        ("objects", f"{told.objects:,} ({'of unknown size' if size is None else decimal(size)})"),
        ("batches", f"{costs.quantities['batches']:,.0f}"),
        ("calls", ", ".join(f"{name} {count:,}" for name, count in costs.calls.items()) or "none"),
        ("price", _price(costs)),
    ]
    if told.limits:
        tightest = told.limits[0]
        time = timedelta(seconds=math.ceil(told.seconds))
        rate = f"{tightest.objects:,.0f}" if tightest.objects >= 10 else f"{tightest.objects:.2g}"
        limit = f"{rate} objects a second: {tightest.operation}, {tightest.scope}"
        rows.append(("time", f"at least {time}, at {limit}"))
    return aligned(rows)


def estimate_document(told: Estimate, size: int | None) -> dict[str, Any]:
    """The estimate as JSON."""
    costs = told.costs
    return {
        "objects": told.objects,
        "bytes": size,
        "batches": round(costs.quantities["batches"]),
        "calls": costs.calls,
        "dollars": round(costs.dollars, 6),
        "unpriced": costs.unpriced,
        "seconds": told.seconds,
        "rates": [asdict(limit) for limit in told.limits],
    }
