"""What a pipeline will call and what that costs, by formulas of named quantities. Pure but for the table of prices."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.plan.prices import price_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plait.language.spec import Spec
    from plait.plugin import Calls

MILLION = 1_000_000
COLD_START_SHARE = 0.01
SECONDS_PER_BATCH = 0.2
SECONDS_PER_OBJECT = 0.02
QUANTITIES_OF_A_SOURCE = ("keys", "pages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A named quantity: its value, and why it has that value."""

    name: str
    value: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """Calls of one operation for one reason: how many, by which formula, for how many US dollars."""

    operation: str
    source: str
    formula: str
    number: float
    units: float
    dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The calls of a run or a month, their price, and the assumptions behind them."""

    assumptions: tuple[Assumption, ...]
    lines: tuple[CostLine, ...]
    quantities: Mapping[str, float] = field(repr=False)

    @property
    def dollars(self) -> float:
        """The price of all calls, in US dollars."""
        return sum(line.dollars for line in self.lines)

    @property
    def calls(self) -> dict[str, int]:
        """How often each operation is called, as a report counts it: without delivery and computing."""
        numbers: dict[str, float] = {}
        for line in self.lines:
            if line.source != "delivery":
                numbers[line.operation] = numbers.get(line.operation, 0) + line.number
        return {operation: round(number) for operation, number in sorted(numbers.items()) if number}


def default_assumptions(spec: Spec, objects: float = MILLION) -> tuple[Assumption, ...]:
    """Assume a month of this many objects, where no report tells the quantities."""
    batches = math.ceil(objects / spec.deploy.batch)
    assumptions = [
        Assumption(name="objects", value=objects, why="driving objects of a month; `--objects` sets it"),
        Assumption(name="batches", value=batches, why=f"full batches of {spec.deploy.batch}: `deploy.batch`"),
        Assumption(
            name="starts", value=math.ceil(batches * COLD_START_SHARE), why="one in a hundred is cold"
        ),
        Assumption(name="listings", value=0, why="events name the objects"),
        Assumption(name="files", value=objects, why="each object gives one file"),
        Assumption(name="replaced", value=0, why="no event comes twice"),
        Assumption(name="quarantined", value=0, why="no record is bad"),
        Assumption(
            name="seconds",
            value=batches * (SECONDS_PER_BATCH + SECONDS_PER_OBJECT * objects / batches),
            why=f"{SECONDS_PER_BATCH} s a batch and {SECONDS_PER_OBJECT} s an object of computing",
        ),
    ]
    for source in spec.lookups:
        quantities = {calls.quantity for calls in source.role.calls()}
        if "keys" in quantities:
            cached = ", though `cache` keeps some" if source.cache else ""
            why = f"each object has a key of its own{cached}"
            assumptions.append(Assumption(name=f"{source.name}.keys", value=objects, why=why))
        if "pages" in quantities:
            why = "the windows of a batch are one stretch of one page"
            assumptions.append(Assumption(name=f"{source.name}.pages", value=batches, why=why))
    return tuple(assumptions)


def assumptions_of_report(spec: Spec, report: Mapping[str, Any]) -> tuple[Assumption, ...]:
    """Take the quantities of a run from its report; raises KeyError, TypeError where it is no report."""
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
    for assumption in default_assumptions(spec):
        source, _, quantity = assumption.name.partition(".")
        if quantity == "keys":
            values[assumption.name] = lookups[source]["keys"] - lookups[source]["cached"]
        elif quantity == "pages":
            values[assumption.name] = lookups[source]["calls"]
    return tuple(
        Assumption(name=name, value=value, why="counted in the report") for name, value in values.items()
    )


def forecast(spec: Spec, assumptions: tuple[Assumption, ...]) -> Forecast:
    """Compute the calls of a spec, and their price, for these quantities."""
    quantities = {assumption.name: float(assumption.value) for assumption in assumptions}
    lines = [line for line in _lines(spec, quantities) if line.number or line.units]
    return Forecast(assumptions=assumptions, lines=tuple(lines), quantities=quantities)


def _lines(spec: Spec, quantities: Mapping[str, float]) -> Iterator[CostLine]:
    counted: set[tuple[str, str]] = set()
    for source, calls in _declared_calls(spec):
        if calls.once and (calls.operation, calls.once) in counted:
            continue
        counted.add((calls.operation, calls.once))
        yield _line_of_calls(source, calls, quantities)
    if spec.quarantine and spec.quarantine.path.startswith("s3://"):
        yield _priced_line("s3:PutObject", "quarantine", "quarantined", quantities["quarantined"])
        if not any(calls.quantity == "replaced" for _, calls in _declared_calls(spec)):
            for operation in ("s3:HeadObject", "s3:PutObject"):
                yield _priced_line(operation, "quarantine", "replaced", quantities["replaced"])
    yield from _delivery_lines(spec, quantities)


def _declared_calls(spec: Spec) -> Iterator[tuple[str, Calls]]:
    """The calls that connectors declare, each with the name of its block."""
    return ((block.name, calls) for block in spec.blocks for calls in block.role.calls())


def _line_of_calls(source: str, calls: Calls, quantities: Mapping[str, float]) -> CostLine:
    name = f"{source}.{calls.quantity}" if calls.quantity in QUANTITIES_OF_A_SOURCE else calls.quantity
    quantity, batches = quantities[name], quantities["batches"]
    if calls.per == 1:
        number, formula = quantity, name
    else:
        number = batches * math.ceil(quantity / batches / calls.per) if batches else 0
        formula = f"batches × ⌈{name} ÷ batches ÷ {calls.per}⌉"
    units = number if calls.units is None else quantity * calls.units
    return _priced_line(calls.operation, source, formula, number, units)


def _delivery_lines(spec: Spec, quantities: Mapping[str, float]) -> Iterator[CostLine]:
    """What brings the events and runs the function; the pipeline itself does not call these."""
    gigabytes = spec.deploy.memory / 1024
    if spec.deploy.trigger == "queue":
        number = quantities["objects"] + 2 * quantities["batches"]
        yield _priced_line("sqs:Requests", "delivery", "objects + 2 × batches", number)
    yield _priced_line("lambda:Invoke", "delivery", "batches", quantities["batches"])
    number = quantities["seconds"] * gigabytes
    yield _priced_line("lambda:GBSeconds", "delivery", f"seconds × {gigabytes:g} GB", number)


def _priced_line(
    operation: str, source: str, formula: str, number: float, units: float | None = None
) -> CostLine:
    units = number if units is None else units
    price = price_list().prices.get(operation)
    dollars = units * price.dollars / MILLION if price else 0.0
    return CostLine(
        operation=operation, source=source, formula=formula, number=number, units=units, dollars=dollars
    )


def swings(spec: Spec, assumptions: tuple[Assumption, ...]) -> list[tuple[str, float]]:
    """What each assumption, if it were twice as much, adds to the price in US dollars; the most first."""
    base = forecast(spec, assumptions).dollars

    def doubled(name: str) -> tuple[Assumption, ...]:
        return tuple(
            Assumption(
                name=assumption.name,
                value=assumption.value * (2 if assumption.name == name else 1),
                why=assumption.why,
            )
            for assumption in assumptions
        )

    names = [assumption.name for assumption in assumptions]
    added = [(name, forecast(spec, doubled(name)).dollars - base) for name in names]
    return sorted(((name, dollars) for name, dollars in added if dollars > 0), key=lambda swing: -swing[1])
