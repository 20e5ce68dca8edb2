"""What a pipeline calls and costs, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plait.cli.common import CannotStart, aligned, unreadable
from plait.deploy.event_pattern import event_pattern
from plait.deploy.policy import grants
from plait.plan.costs import Forecast, assumptions_of_report, default_assumptions, forecast, swings
from plait.plan.prices import price_list
from plait.plan.rates import Batching, batching, rates
from plait.plugin import DriverPath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.language.spec import Spec
    from plait.plan.costs import Assumption


def assumptions(spec: Spec, objects: int, like: str | None) -> tuple[Assumption, ...]:
    """The quantities of a report file, else those of a month of so many objects."""
    if like is None:
        return default_assumptions(spec, objects)
    try:
        return assumptions_of_report(spec, json.loads(Path(like).read_bytes()))
    except OSError as error:
        raise unreadable(like, error) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"`{like}` is no report of `{spec.name}`"
        raise CannotStart(
            message, code="no-report", help="give the JSON that `plait run -o json` prints"
        ) from error


def batch_for(spec: Spec, objects: int, rate: float) -> Batching | None:
    """The smallest batch that reaches a rate of objects a second."""

    def at(size: int) -> Forecast:
        sized = replace(spec, deploy=replace(spec.deploy, batch=size))
        return forecast(sized, default_assumptions(sized, objects))

    return batching(rate, at)


def paragraphs(spec: Spec, made: Forecast, rate: float | None, wanted: Batching | None) -> Iterable[str]:
    """The forecast for a terminal."""
    rows = [
        (line.operation, f"{line.number:,.0f}", line.formula, line.source, f"{line.dollars:,.2f}")
        for line in made.lines
    ]
    yield aligned([("call", "times", "formula", "for", "USD"), *rows])
    yield aligned(
        [("assumed", "is", "because")]
        + [(one.name, f"{one.value:,.0f}", one.why) for one in made.assumptions]
    )
    yield "\n".join(_price(spec, made))
    limits = [(one.operation, f"{one.objects:,.0f}", one.scope) for one in rates(made)]
    if limits:
        yield aligned([("default quota of", "objects a second", "shared by"), *limits])
    if rate is not None:
        yield _advice(rate, wanted)
    yield from _rule(spec)
    actions = dict.fromkeys(grant.action for grant in grants(spec))
    yield f"IAM actions: {', '.join(actions) or 'none'} (`plait policy` has their resources)"


def _rule(spec: Spec) -> Iterable[str]:
    """What the event rule lets through, which cannot stop at `/`."""
    paths = [getattr(spec.driver.options, name) for name in spec.driver.options.__struct_fields__]
    for path in (one for one in paths if isinstance(one, DriverPath) and one.bucket):
        key = event_pattern(path)["detail"]["object"]["key"][0]
        through = key["wildcard"] if isinstance(key, dict) else key
        yield (
            f"event rule: keys `{through}` of `{path.bucket}`, where `*` runs across `/`;"
            " what is beyond the path is skipped and counted"
        )


def _price(spec: Spec, made: Forecast) -> Iterable[str]:
    yield f"price: ${made.dollars:,.2f}, at {price_list().basis} of {price_list().as_of}"
    most = swings(spec, made.assumptions)
    if most:
        name, added = most[0]
        yield f"most moved by `{name}`: twice as many cost ${added:,.2f} more"


def _advice(rate: float, wanted: Batching | None) -> str:
    if wanted is None:
        return f"no batch reaches {rate:g} objects a second within the default quotas"
    window = f", window: {wanted.window_seconds}s" if wanted.window_seconds else ""
    return f"{rate:g} objects a second are reached by `deploy: {{batch: {wanted.batch}{window}}}`"


def document(spec: Spec, made: Forecast, rate: float | None, wanted: Batching | None) -> dict[str, Any]:
    """The forecast as JSON; `pipelines/COSTS.md` has every key."""
    prices = price_list().prices
    return {
        "assumptions": [asdict(one) for one in made.assumptions],
        "calls": made.calls,
        "lines": [
            {**asdict(line), "unit": prices[line.operation].unit if line.operation in prices else None}
            for line in made.lines
        ],
        "dollars": round(made.dollars, 6),
        "prices": {"as_of": price_list().as_of, "where": price_list().basis},
        "swings": [
            {"assumption": name, "dollars": round(added, 6)} for name, added in swings(spec, made.assumptions)
        ],
        "rates": [asdict(one) for one in rates(made)],
        "batching": None if rate is None or wanted is None else {"rate": rate, **asdict(wanted)},
        "iam_actions": [*dict.fromkeys(grant.action for grant in grants(spec))],
    }
