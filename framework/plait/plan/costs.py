"""What a pipeline will call and what that costs, by formulas of named quantities and the prices of `prices.toml`."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, convert
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plait.language.spec import Spec
    from plait.plugin import Calls

MILLION = 1_000_000
COLD_START_SHARE = 0.01
SECONDS_PER_BATCH = 0.2
SECONDS_PER_OBJECT = 0.02
QUANTITIES_OF_A_SOURCE = ("keys", "pages")


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for a million of a unit."""

    dollars: float
    unit: str


class Quota(Struct, frozen=True, forbid_unknown_fields=True):
    """How many units a second AWS allows by default, and who shares them."""

    per_second: float
    scope: str


class PriceList(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices and quotas by the name of their operation; `concurrency` counts invocations at one time."""

    as_of: str
    basis: str
    concurrency: int
    prices: dict[str, Price]
    quotas: dict[str, Quota]


@cache
def price_list() -> PriceList:
    """The dated table of what AWS charges and allows by default, read when it is first asked for."""
    import tomllib

    text = Path(__file__).with_name("prices.toml").read_text(encoding="utf-8")
    return convert(tomllib.loads(text), PriceList)


class Assumption(Struct, frozen=True):
    """A named quantity: its value, and why it has that value."""

    name: str
    value: float
    why: str


class CostLine(Struct, frozen=True):
    """Calls of one operation for one reason: how many, by which formula, for how many US dollars, None if nobody knows."""

    operation: str
    source: str
    formula: str
    number: float
    units: float
    dollars: float | None


class Forecast(Struct, frozen=True):
    """The calls of a run or a month, their price, and the assumptions behind them."""

    assumptions: tuple[Assumption, ...]
    lines: tuple[CostLine, ...]

    @property
    def quantities(self) -> dict[str, float]:
        """The values of the assumptions by their names."""
        return {assumption.name: float(assumption.value) for assumption in self.assumptions}

    @property
    def dollars(self) -> float:
        """The price of all calls that have one, in US dollars."""
        return sum(line.dollars or 0.0 for line in self.lines)

    @property
    def unpriced(self) -> list[str]:
        """The operations whose price is not known."""
        return sorted({line.operation for line in self.lines if line.dollars is None})

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
    seconds = SECONDS_PER_BATCH * batches + SECONDS_PER_OBJECT * objects
    why_seconds = f"{SECONDS_PER_BATCH} s a batch and {SECONDS_PER_OBJECT} s an object of computing"
    assumptions = [
        Assumption("objects", objects, "driving objects of a month; `--objects` sets it"),
        Assumption("batches", batches, f"full batches of {spec.deploy.batch}: `deploy.batch`"),
        Assumption("starts", math.ceil(batches * COLD_START_SHARE), "one in a hundred is cold"),
        Assumption("listings", 0, "events name the objects"),
        Assumption("files", objects, "each object gives one file"),
        Assumption("replaced", 0, "no event comes twice"),
        Assumption("quarantined", 0, "no record is bad"),
        Assumption("seconds", seconds, why_seconds),
    ]
    for source in spec.lookups:
        quantities = {calls.quantity for calls in source.role.calls()}
        if "keys" in quantities:
            why = "each object has a key of its own" + (", though `cache` keeps some" if source.cache else "")
            assumptions.append(Assumption(f"{source.name}.keys", objects, why))
        if "pages" in quantities:
            why = "the windows of a batch are one stretch of one page"
            assumptions.append(Assumption(f"{source.name}.pages", batches, why))
    if spec.partition_by and any(calls.quantity == "registrations" for calls in spec.sink.role.calls()):
        why = "each process meets the partitions of its time in one batch"
        assumptions.append(Assumption("registrations", math.ceil(batches * COLD_START_SHARE), why))
    return tuple(assumptions)


def assumptions_of_report(spec: Spec, report: Mapping[str, Any]) -> tuple[Assumption, ...]:
    """Take the quantities of a run from its report; raises KeyError, TypeError where it is no report."""
    objects, calls, lookups = report["objects"], report["calls"], report["lookups"]
    seen, quarantined = objects["seen"] - objects["skipped"], report["records"]["quarantined"]
    looked = calls.get("s3:HeadObject", 0)
    if (
        spec.driver.open_driver().position_word
    ):  # whose bad records are one file an object, which is looked for
        quarantined, looked = min(quarantined, seen), max(looked - seen, 0)
    values = {
        "objects": seen,
        "batches": report.get("batches", 1),
        "starts": _starts(spec, calls),
        "listings": calls.get("s3:ListObjectsV2", 0),
        "files": report["file_count"],
        "replaced": looked,
        "quarantined": quarantined,
        "seconds": sum(report["seconds"].values()),
    }
    for assumption in default_assumptions(spec):
        source, _, quantity = assumption.name.partition(".")
        if quantity == "keys":
            values[assumption.name] = lookups[source]["keys"] - lookups[source]["cached"]
        elif quantity == "pages":
            values[assumption.name] = lookups[source]["calls"]
        elif source == "registrations":
            values[source] = calls.get("glue:BatchCreatePartition", 0)
    for lookup in spec.lookups:
        role = lookup.open_lookup()
        if {role.keys_per_call} == {declared.per for declared in role.calls() if declared.quantity == "keys"}:
            values[f"{lookup.name}.fetches"] = lookups[lookup.name]["fetches"]
    return tuple(Assumption(name, value, "counted in the report") for name, value in values.items())


def _starts(spec: Spec, calls: Mapping[str, int]) -> int:
    """How many processes started: so often each made a call that a process makes once."""
    declared = [(block.name, each) for block in spec.blocks for each in block.role.calls()]
    others = {each.operation for _, each in declared if each.quantity != "starts"}
    once = {(each.operation, each.once or name) for name, each in declared if each.operation not in others}
    numbers = Counter(operation for operation, _ in once)
    return max((calls.get(operation, 0) // number for operation, number in numbers.items()), default=0)


def forecast(spec: Spec, assumptions: tuple[Assumption, ...]) -> Forecast:
    """Compute the calls of a spec, and their price, for these quantities."""
    quantities = Forecast(assumptions, ()).quantities
    lines = [*_lines_of_calls(spec, quantities), *_lines_of_delivery(spec, quantities)]
    return Forecast(assumptions, tuple(line for line in lines if line.number or line.units))


def _lines_of_calls(spec: Spec, quantities: Mapping[str, float]) -> Iterator[CostLine]:
    """The calls that connectors declare, and those of the quarantine."""
    declared = [(block.name, calls) for block in spec.blocks for calls in block.role.calls()]
    counted: set[tuple[str, str]] = set()
    for name, calls in declared:
        if not calls.once or (calls.operation, calls.once) not in counted:
            yield _line_of_calls(name, calls, quantities)
        counted.add((calls.operation, calls.once))
    if spec.quarantine and spec.quarantine.path.startswith("s3://"):
        yield _priced_line("s3:PutObject", "quarantine", "quarantined", quantities["quarantined"])
        if (
            spec.driver.open_driver().position_word
        ):  # each object without a bad record may have left a file there
            yield _priced_line("s3:HeadObject", "quarantine", "objects", quantities["objects"])
        if not any(calls.quantity == "replaced" for _, calls in declared):
            for operation in ("s3:HeadObject", "s3:PutObject"):
                yield _priced_line(operation, "quarantine", "replaced", quantities["replaced"])


def _line_of_calls(source: str, calls: Calls, quantities: Mapping[str, float]) -> CostLine:
    name = f"{source}.{calls.quantity}" if calls.quantity in QUANTITIES_OF_A_SOURCE else calls.quantity
    number, batches, formula = quantities.get(name, 0), quantities["batches"], name
    units = None if calls.units is None else number * calls.units
    if calls.per != 1 and (fetches := f"{source}.fetches") in quantities:
        number, formula = quantities[fetches], fetches
    elif calls.per != 1:
        number = batches * math.ceil(number / batches / calls.per) if batches else 0
        formula = f"batches × ⌈{name} ÷ batches ÷ {calls.per}⌉"
    return _priced_line(calls.operation, source, formula, number, units)


def _lines_of_delivery(spec: Spec, quantities: Mapping[str, float]) -> Iterator[CostLine]:
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
    dollars = units * price.dollars / MILLION if price else None
    return CostLine(operation, source, formula, number, units, dollars)


def swings(spec: Spec, assumptions: tuple[Assumption, ...]) -> list[tuple[str, float]]:
    """What each assumption, if it were twice as much, adds to the price in US dollars; the most first."""
    added: list[tuple[str, float]] = []
    for place, assumption in enumerate(assumptions):
        doubled = replace(assumption, value=2 * assumption.value)
        costs = forecast(spec, (*assumptions[:place], doubled, *assumptions[place + 1 :]))
        added.append((assumption.name, costs.dollars - forecast(spec, assumptions).dollars))
    return sorted((swing for swing in added if swing[1] > 0), key=lambda swing: -swing[1])
