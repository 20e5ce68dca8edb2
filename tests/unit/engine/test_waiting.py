"""An object waits for a late match while it is young; cases/waiting*.yaml show rows, here is what takes several runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kit import fakes
from kit.run import put, records_in, rows_in
from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.report import Report
from plait.engine.transform import wait_ends, why_late
from plait.language.spec import Join, TimeWindow
from plait.plugin import Driver, Item, Record, Sink, Written

BORN = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: ROOT/raw/*.json, columns: {id: string, at: timestamp}}
LOOKUPS
sink: {connector: parquet, path: ROOT/lake/}
quarantine: ROOT/bad/
"""
ITEMS = """\
  items:
    connector: csv
    path: ROOT/items/{id}.csv
    columns: {sku: string}
    join: {on: id, as: list, missing: {retry_for: 10m}}
"""
PEOPLE = """\
  people:
    connector: memory
    rows: [{id: b, name: Bo}]
    columns: {name: {type: string, required: true}}
    join: {on: id, missing: {retry_for: 10m}}
    cache: 1d
"""


@dataclass
class Shop:
    """Orders that were put at noon, what belongs to them, and an engine that stays warm while the clock goes on."""

    root: Path
    engine: Engine = field(init=False)
    minutes: float = 0

    def open(self, lookups: str, **source: Any) -> None:
        """Make the engine; `source` is what is otherwise in the first look-up of the spec."""
        spec = valid(SPEC, LOOKUPS=lookups, ROOT=self.root)
        first, *others = spec.lookups
        spec = replace(spec, lookups=(replace(first, **source), *others))
        self.engine = Engine(spec, Services(now=lambda: BORN + self.minutes * MINUTE))

    def order(self, id: str, **fields: Any) -> None:
        """Put an order."""
        put(self.root / "raw" / f"{id}.json", {"id": id, **fields}, BORN)

    def run(self, minutes: float, *, wait: bool = True) -> Report:
        """Run over all orders, this long after they were put."""
        self.minutes = minutes
        self.engine.new_report()
        return self.engine.run(self.engine.find(), wait=wait)

    def rows(self, column: str) -> dict[str, Any]:
        """The values of a column in the lake, by id."""
        return {row["id"]: row[column] for row in rows_in(self.root / "lake")}


def outcome(report: Report) -> dict[str, int]:
    """What became of the objects, as far as there were any."""
    return {word: count for word, count in report.objects.items() if count and word != "seen"}


@pytest.mark.fault("C1", "W1")
def test_each_delivery_takes_what_is_there_by_then(tmp_path: Path) -> None:
    """Redelivery completes the object; what comes after the wait is taken by a later run, which writes the row anew."""
    shop = Shop(tmp_path)
    shop.open(ITEMS)
    shop.order("late")
    shop.order("never")
    assert (outcome(shop.run(1)), shop.rows("items")) == ({"retry": 2}, {})
    put(tmp_path / "items/late.csv", "sku\ncup\npot\n")
    assert outcome(shop.run(2)) == {"done": 1, "retry": 1}
    assert shop.rows("items") == {"late": [{"sku": "cup"}, {"sku": "pot"}]}
    assert outcome(shop.run(11)) == {"done": 2}
    assert shop.rows("items")["never"] == []
    put(tmp_path / "items/never.csv", "sku\ntea\n")
    assert outcome(shop.run(12)) == {"done": 2}
    assert shop.rows("items")["never"] == [{"sku": "tea"}]


def test_without_waiting_a_miss_is_kept(tmp_path: Path) -> None:
    """`no_wait` takes every object as it is now; what a required column needs is bad now."""
    shop = Shop(tmp_path)
    shop.open(ITEMS + PEOPLE)
    shop.order("a")
    shop.order("b")
    assert outcome(shop.run(1, wait=False)) == {"done": 2}
    assert [record["code"] for record in records_in(tmp_path / "bad")] == ["no-match"]
    assert shop.rows("items") == {"b": []}
    assert outcome(shop.run(1)) == {"retry": 2}


@pytest.mark.parametrize("window", [None, TimeWindow(column="at", before=MINUTE, after=MINUTE)])
def test_a_miss_is_not_cached_while_it_waits(tmp_path: Path, window: TimeWindow | None) -> None:
    """With a `cache` of a day each delivery asks again until there is a match, with and without a `window`."""
    shop, events = Shop(tmp_path), fakes.FixedLookup(order="time")
    connector = replace(fakes.source().connector, lookup=fakes.opened_as(events))
    shop.open(PEOPLE, connector=connector, window=window)
    shop.order("a", at=BORN.isoformat())
    for minutes in (1, 2, 3):
        assert outcome(shop.run(minutes)) == {"retry": 1}
    assert sum(events.asked) == 3
    events.records = [Record(fields={"id": "a", "name": "Ada"}, time=BORN)]
    assert outcome(shop.run(4)) == {"done": 1}
    assert (sum(events.asked), shop.rows("name")) == (4, {"a": "Ada"})


class Orders(Driver[Any]):
    """A driver whose objects are one order each."""

    def accepts(self, _uri: str) -> bool:
        return True

    def read(self, items: Any) -> list[Record]:
        return [Record(fields={"id": "a"}, item=item) for item in items]

    def list(self, _window: Any) -> Any:
        raise AssertionError


class Nowhere(Sink[Any]):
    """A sink that keeps nothing."""

    def write(self, files: Any) -> list[Written]:
        return [Written(uri=file.name, rows=1, bytes=0) for file in files]


@given(
    age=st.integers(-100, 7_000),
    limits=st.lists(st.integers(1, 6_000), min_size=1, max_size=3),
    wait=st.booleans(),
)
def test_an_object_comes_again_exactly_while_a_missing_lookup_would_wait(
    age: int, limits: list[int], wait: bool
) -> None:
    """For any age, limits and number of look-ups, and for whoever does not want to wait."""
    people = "".join(
        f"  p{n}: {{connector: memory, rows: [], columns: {{c{n}: string}}, "
        f"join: {{on: id, missing: {{retry_for: {limit}s}}}}}}\n"
        for n, limit in enumerate(limits)
    )
    spec = valid(SPEC, LOOKUPS=people, ROOT="nowhere")
    driver = replace(spec.driver.connector, driver=Orders)
    sink = replace(spec.sink.connector, sink=Nowhere)
    spec = replace(
        spec, driver=replace(spec.driver, connector=driver), sink=replace(spec.sink, connector=sink)
    )
    engine = Engine(spec, Services(now=lambda: BORN + timedelta(seconds=age)))
    report = engine.run([Item(uri="a", modified=BORN)], wait=wait)
    assert outcome(report) == ({"retry": 1} if wait and age < max(limits) else {"done": 1})


OLD, AGELESS = Item(uri="s3://b/1", modified=BORN), Item(uri="s3://b/1")
TEN = fakes.source(join=Join(on=(("k", "k"),), missing="retry", retry_for=10 * MINUTE))
HOUR = replace(TEN, name="t", join=Join(on=(("k", "k"),), missing="retry", retry_for=60 * MINUTE))


@pytest.mark.parametrize(
    ("minutes", "message"), [(0, "`s`, `t` have no match yet"), (10, "`t` has no match yet"), (60, None)]
)
def test_a_wait_is_told_with_its_end_and_the_way_around_it(minutes: int, message: str | None) -> None:
    late = why_late(OLD, [TEN, HOUR], BORN + timedelta(minutes=minutes))
    assert (late and late.message) == message
    assert late is None or (late.code, late.note, late.help) == (
        "not-there-yet",
        "waited for until 2026-07-01T13:00:00Z",
        "`plait run --no-wait`, in Python `run(no_wait=True)`, takes it as it is",
    )


def test_nothing_waits_without_an_age_or_a_limit() -> None:
    """Nor a source that is no look-up."""
    assert wait_ends(OLD, TEN) == BORN + timedelta(minutes=10)
    unlimited = replace(TEN, join=Join(on=(("k", "k"),)))
    for item, lookup in [(AGELESS, TEN), (OLD, unlimited), (OLD, replace(TEN, join=None))]:
        assert wait_ends(item, lookup) is None
