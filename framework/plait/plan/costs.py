"""What a pipeline will call and what that costs: formulas of named quantities; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.plan.prices import CONCURRENCY, PRICES, QUOTAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from plait.language.spec import Spec
    from plait.plugin import Calls

MILLION = 1_000_000
START_SHARE = 0.01
SECONDS = 0.2
SECONDS_EACH = 0.02
LARGEST_BATCH, LONGEST_WINDOW = 10_000, 300
QUANTITIES_OF_A_SOURCE = ("keys", "pages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A named quantity: its value, and why that."""

    name: str
    value: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Calls of one operation for one reason: how many, by which formula, for how many US dollars."""

    operation: str
    source: str
    formula: str
    number: float
    units: float
    dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The calls of a run or a month, their price, and what it rests on."""

    assumptions: tuple[Assumption, ...]
    lines: tuple[Line, ...]
    quantities: Mapping[str, float] = field(repr=False)

    @property
    def dollars(self) -> float:
        """The price of all calls, in US dollars."""
        return sum(line.dollars for line in self.lines)

    @property
    def calls(self) -> dict[str, int]:
        """How often each operation is called, as a report counts it: nothing of delivery and computing."""
        found: dict[str, float] = {}
        for line in self.lines:
            if line.source != "delivery":
                found[line.operation] = found.get(line.operation, 0) + line.number
        return {name: round(number) for name, number in sorted(found.items()) if number}


def assumed(spec: Spec, objects: float = MILLION) -> tuple[Assumption, ...]:
    """What is assumed where no report says otherwise: a month of this many objects."""
    batches = math.ceil(objects / spec.deploy.batch)
    found = [
        Assumption(name="objects", value=objects, why="driving objects of a month; `--objects` sets it"),
        Assumption(name="batches", value=batches, why=f"full batches of {spec.deploy.batch}: `deploy.batch`"),
        Assumption(name="starts", value=math.ceil(batches * START_SHARE), why="one in a hundred is cold"),
        Assumption(name="listings", value=0, why="events name the objects"),
        Assumption(name="files", value=objects, why="each object gives one file"),
        Assumption(name="replaced", value=0, why="no event comes twice"),
        Assumption(name="quarantined", value=0, why="no record is bad"),
        Assumption(
            name="seconds",
            value=batches * (SECONDS + SECONDS_EACH * objects / batches),
            why=f"{SECONDS} s a batch and {SECONDS_EACH} s an object of computing",
        ),
    ]
    for source in spec.lookups:
        used = {c.quantity for c in source.connector.calls(source.options, "lookup")}
        if "keys" in used:
            cached = ", though `cache` keeps some" if source.cache else ""
            why = f"each object has a key of its own{cached}"
            found.append(Assumption(name=f"{source.name}.keys", value=objects, why=why))
        if "pages" in used:
            why = "the windows of a batch are one stretch of one page"
            found.append(Assumption(name=f"{source.name}.pages", value=batches, why=why))
    return tuple(found)


def of_report(spec: Spec, report: Mapping[str, Any]) -> tuple[Assumption, ...]:
    """The quantities of a run, from its report; raises KeyError, TypeError where it is no report."""
    objects, calls, lookups = report["objects"], report["calls"], report["lookups"]
    replaced = calls.get("s3:HeadObject", 0)
    cold = calls.get("secretsmanager:GetSecretValue", 0) or calls.get("mysql:Connect", 0)
    values = {
        "objects": objects["seen"] - objects["skipped"],
        "batches": report.get("batches", 1),
        "starts": int(bool(cold)),
        "listings": calls.get("s3:ListObjectsV2", 0),
        "files": len(report["files"]),
        "replaced": replaced,
        "quarantined": report["records"]["quarantined"],
        "seconds": sum(report["seconds"].values()),
    }
    for one in assumed(spec):
        name, _, quantity = one.name.partition(".")
        if quantity == "keys":
            values[one.name] = lookups[name]["keys"] - lookups[name]["cached"]
        elif quantity == "pages":
            values[one.name] = lookups[name]["calls"]
    return tuple(Assumption(name=n, value=v, why="counted in the report") for n, v in values.items())


def forecast(spec: Spec, assumptions: tuple[Assumption, ...]) -> Forecast:
    """The calls of a spec for these quantities."""
    values = {one.name: float(one.value) for one in assumptions}
    lines = [line for line in _lines(spec, values) if line.number or line.units]
    return Forecast(assumptions=assumptions, lines=tuple(lines), quantities=values)


def _lines(spec: Spec, values: Mapping[str, float]) -> Iterator[Line]:
    seen: set[tuple[str, str]] = set()
    for source, calls in _calls(spec):
        if calls.once and (calls.operation, calls.once) in seen:
            continue
        seen.add((calls.operation, calls.once))
        yield _line(source, calls, values)
    if spec.quarantine and spec.quarantine.path.startswith("s3://"):
        yield _priced("s3:PutObject", "quarantine", "quarantined", values["quarantined"])
        if not any(one.quantity == "replaced" for _, one in _calls(spec)):
            for name in ("s3:HeadObject", "s3:PutObject"):
                yield _priced(name, "quarantine", "replaced", values["replaced"])
    yield from _delivery(spec, values)


def _calls(spec: Spec) -> Iterator[tuple[str, Calls]]:
    driver, sink = spec.driver, spec.sink
    yield from ((driver.name, one) for one in driver.connector.calls(driver.options, "driver"))
    for source in spec.lookups:
        yield from ((source.name, one) for one in source.connector.calls(source.options, "lookup"))
    yield from (("sink", one) for one in sink.connector.calls(sink.options, "sink"))


def _line(source: str, calls: Calls, values: Mapping[str, float]) -> Line:
    name = f"{source}.{calls.quantity}" if calls.quantity in QUANTITIES_OF_A_SOURCE else calls.quantity
    quantity, batches = values[name], values["batches"]
    if calls.per == 1:
        number, formula = quantity, name
    else:
        number = batches * math.ceil(quantity / batches / calls.per) if batches else 0
        formula = f"batches × ⌈{name} ÷ batches ÷ {calls.per}⌉"
    units = number if calls.units is None else quantity * calls.units
    return _priced(calls.operation, source, formula, number, units)


def _delivery(spec: Spec, values: Mapping[str, float]) -> Iterator[Line]:
    """What brings the events and runs the function: no calls of the pipeline's own."""
    gigabytes = spec.deploy.memory / 1024
    if spec.deploy.trigger == "queue":
        number = values["objects"] + 2 * values["batches"]
        yield _priced("sqs:Requests", "delivery", "objects + 2 × batches", number)
    yield _priced("lambda:Invoke", "delivery", "batches", values["batches"])
    number = values["seconds"] * gigabytes
    yield _priced("lambda:GBSeconds", "delivery", f"seconds × {gigabytes:g} GB", number)


def _priced(operation: str, source: str, formula: str, number: float, units: float | None = None) -> Line:
    units = number if units is None else units
    price = PRICES.get(operation)
    dollars = units * price.dollars / MILLION if price else 0.0
    return Line(
        operation=operation, source=source, formula=formula, number=number, units=units, dollars=dollars
    )


def swings(spec: Spec, assumptions: tuple[Assumption, ...]) -> list[tuple[str, float]]:
    """What each assumption, were it twice as much, adds to the price in US dollars; the most first."""
    base = forecast(spec, assumptions).dollars

    def doubled(name: str) -> tuple[Assumption, ...]:
        return tuple(
            Assumption(name=one.name, value=one.value * (2 if one.name == name else 1), why=one.why)
            for one in assumptions
        )

    found = [(one.name, forecast(spec, doubled(one.name)).dollars - base) for one in assumptions]
    return sorted(((name, added) for name, added in found if added > 0), key=lambda one: -one[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many objects a second an operation's default quota allows, infinite where it is not called."""

    operation: str
    scope: str
    objects: float


def rates(made: Forecast, memory_share: float = 1.0) -> list[Rate]:
    """The highest steady rate of each service by its default quota, the tightest first."""
    objects, batches, seconds = (made.quantities[name] for name in ("objects", "batches", "seconds"))
    used: dict[str, float] = {}
    for line in made.lines:
        # S3 counts each prefix, and every block reads or writes below one of its own.
        each = line.operation if line.operation.startswith("s3:") else ""
        used[line.operation] = (
            max(used.get(line.operation, 0), line.units)
            if each
            else (used.get(line.operation, 0) + line.units)
        )
    found = [
        Rate(operation=name, scope=quota.scope, objects=quota.a_second * objects / used[name])
        for name, quota in QUOTAS.items()
        if used.get(name)
    ]
    if seconds:
        allowed = CONCURRENCY * memory_share * objects / seconds
        found.append(
            Rate(operation="lambda:Invoke", scope="concurrent invocations of the account", objects=allowed)
        )
    return sorted(found, key=lambda one: one.objects) if batches else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """The smallest batch that reaches a rate, and the seconds it takes to collect; None where no batch does."""

    batch: int
    window_seconds: int
    reached: float


def batching(rate: float, at: Callable[[int], Forecast]) -> Batching | None:
    """Which batch reaches a rate of objects a second; `at` forecasts for a batch of this size."""
    low, high = 1, LARGEST_BATCH
    if _reached(at(high)) < rate:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _reached(at(middle)) >= rate else (middle + 1, high)
    window = min(LONGEST_WINDOW, math.ceil(low / rate)) if low > 1 else 0
    return Batching(batch=low, window_seconds=window, reached=_reached(at(low)))


def _reached(made: Forecast) -> float:
    return min((rate.objects for rate in rates(made)), default=math.inf)
