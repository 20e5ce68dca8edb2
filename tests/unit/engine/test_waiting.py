"""An object waits for a late match while it is young, and never longer; every case on a frozen clock."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.report import Report
from plait.language.spec import Spec, TimeWindow
from plait.plugin import Item, Record, Written

BORN = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPEC = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: ROOT/raw/*.json
    columns: {id: {type: string, required: true}, customer: string, total: int, at: timestamp}
LOOKUPS
sink: {connector: parquet, path: ROOT/lake/}
quarantine: ROOT/bad/
"""
ITEMS = """\
  items:
    connector: csv
    path: ROOT/items/{id}.csv
    columns: {sku: SKU}
    join: {on: id, as: SHAPE, missing: MISSING}
"""
NOTES = """\
  notes:
    connector: csv
    path: ROOT/notes/{id}.csv
    columns: {note: NOTE}
    join: {on: id, missing: MISSING}
"""


@dataclass
class Shop:
    """Orders and what belongs to them in folders, and the clock; the engine stays warm between runs."""

    root: Path
    lookups: str
    minutes: float = 0
    calls: int = field(default=0, init=False)
    _engine: Engine | None = field(default=None, init=False)

    def order(self, id: str, **fields: Any) -> None:
        """Put an order that is as old as the clock says."""
        file = self._file("raw", f"{id}.json", json.dumps({"id": id, **fields}))
        os.utime(file, (BORN.timestamp(), BORN.timestamp()))

    def put(self, kind: str, id: str, *lines: str) -> None:
        """Put the lines that belong to an order."""
        self._file(kind, f"{id}.csv", "\n".join(lines) + "\n")

    def _file(self, kind: str, name: str, text: str) -> Path:
        file = self.root / kind / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def spec(self) -> Spec:
        """The valid spec."""
        return valid(SPEC, LOOKUPS=self.lookups, ROOT=self.root)

    def run(self, minutes: float, *, wait: bool = True, spec: Spec | None = None) -> Report:
        """Run over all orders, this long after they were put."""
        self.minutes = minutes
        if self._engine is None:
            services = Services(now=lambda: BORN + self.minutes * MINUTE)
            self._engine = Engine(spec or self.spec(), services)
        self._engine.new_report()
        return self._engine.run(self._engine.find(), wait=wait)

    def rows(self) -> list[dict[str, Any]]:
        """All rows of the lake, by id."""
        rows = [
            row for file in (self.root / "lake").rglob("*.parquet") for row in pq.read_table(file).to_pylist()
        ]
        return sorted(rows, key=lambda row: str(row["id"]))

    def bad(self) -> list[str]:
        """The codes in quarantine."""
        return sorted(json.loads(file.read_text())["code"] for file in (self.root / "bad").glob("*.json"))


def items(*, missing: str = "{retry_for: 10m}", shape: str = "list", sku: str = "string") -> str:
    """A look-up of lines in a file."""
    return ITEMS.replace("MISSING", missing).replace("SHAPE", shape).replace("SKU", sku)


def notes(*, missing: str = "{retry_for: 10m}", note: str = "string") -> str:
    """A look-up of one line in a file."""
    return NOTES.replace("MISSING", missing).replace("NOTE", note)


def outcome(report: Report) -> dict[str, int]:
    """What became of the objects, as far as there were any."""
    return {word: n for word, n in report.objects.items() if n and word != "seen"}


WAITS, DONE = {"retry": 1}, {"done": 1}


@pytest.mark.fault("W1")
@pytest.mark.fault("C1")
@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-5, WAITS), (0, WAITS), (9.999, WAITS), (10, DONE), (10.001, DONE), (60 * 24 * 400, DONE)],
)
def test_an_object_waits_while_it_is_younger_than_the_limit(
    tmp_path: Path, minutes: float, expected: dict[str, int]
) -> None:
    """At exactly the limit the wait is over; an object from the future, by another clock, is young."""
    shop = Shop(tmp_path, items())
    shop.order("a")
    assert outcome(shop.run(minutes)) == expected
    assert [row["items"] for row in shop.rows()] == ([] if expected == WAITS else [[]])


@pytest.mark.parametrize(
    ("shape", "sku", "row"),
    [
        ("list", "string", {"items": []}),
        ("columns", "string", {"sku": None}),
        ("rows", "string", {"sku": None}),
        ("columns", "{type: string, default: none}", {"sku": "none"}),
        ("rows", "{type: string, default: none}", {"sku": "none"}),
        ("list", "{type: string, required: true}", {"items": []}),
    ],
)
def test_after_the_wait_the_row_is_what_keep_makes_of_it(
    tmp_path: Path, shape: str, sku: str, row: dict[str, Any]
) -> None:
    """The empty list, nulls, or the defaults of the columns, whatever the shape."""
    shop = Shop(tmp_path, items(shape=shape, sku=sku))
    shop.order("a")
    assert outcome(shop.run(5)) == WAITS
    assert outcome(shop.run(10)) == DONE
    [only_row] = shop.rows()
    assert {name: only_row[name] for name in row} == row


@pytest.mark.parametrize("shape", ["columns", "rows"])
def test_a_required_column_is_waited_for_and_then_bad(tmp_path: Path, shape: str) -> None:
    """Nothing is quarantined while the match may come; after that the record is bad, never null."""
    shop = Shop(tmp_path, items(shape=shape, sku="{type: string, required: true}"))
    shop.order("a")
    assert (outcome(shop.run(9)), shop.bad()) == (WAITS, [])
    report = shop.run(10)
    assert (outcome(report), report.records.quarantined) == (DONE, 1)
    assert (shop.bad(), shop.rows()) == (["no-match"], [])


@pytest.mark.fault("W1")
def test_redelivery_completes_the_object_and_only_it_comes_again(tmp_path: Path) -> None:
    """A neighbour that is whole is done at once; the late one is, as soon as its lines are there."""
    shop = Shop(tmp_path, items())
    shop.order("late")
    shop.order("whole")
    shop.put("items", "whole", "sku", "tea")
    report = shop.run(1)
    assert [uri.rpartition("/")[2] for uri, word in report.outcomes.items() if word == "retry"] == [
        "late.json"
    ]
    assert [row["id"] for row in shop.rows()] == ["whole"]
    shop.put("items", "late", "sku", "cup", "pot")
    assert outcome(shop.run(2)) == {"done": 2}
    assert [row["items"] for row in shop.rows()] == [[{"sku": "cup"}, {"sku": "pot"}], [{"sku": "tea"}]]


def test_what_comes_after_the_wait_is_taken_by_the_next_run(tmp_path: Path) -> None:
    """Giving up writes the row as it is; a later run over the object writes it anew."""
    shop = Shop(tmp_path, items())
    shop.order("a")
    shop.run(11)
    assert shop.rows()[0]["items"] == []
    shop.put("items", "a", "sku", "tea")
    assert outcome(shop.run(12)) == DONE
    assert shop.rows()[0]["items"] == [{"sku": "tea"}]


@pytest.mark.parametrize("reverse", [False, True])
def test_several_lookups_wait_side_by_side_each_for_its_own_time(tmp_path: Path, reverse: bool) -> None:
    """The object comes again until the longest wait is over, and the problem names all that it waits for."""
    blocks = [items(), notes(missing="{retry_for: 1h}")]
    shop = Shop(tmp_path, "".join(reversed(blocks) if reverse else blocks))
    shop.order("a")
    problems_at = {minutes: shop.run(minutes).problems for minutes in (9, 10, 59, 60)}
    messages = {minutes: [p.message for p in problems] for minutes, problems in problems_at.items()}
    both = "`notes`, `items`" if reverse else "`items`, `notes`"
    assert messages[9] == [f"{both} have no match yet"]
    assert messages[10] == messages[59] == ["`notes` has no match yet"]
    assert {p.note for m in (9, 10, 59) for p in problems_at[m]} == {"waited for until 2026-07-01T13:00:00Z"}
    assert messages[60] == []
    assert [(row["items"], row["note"]) for row in shop.rows()] == [([], None)]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_record_that_is_bad_whatever_comes_does_not_wait(tmp_path: Path, reverse: bool) -> None:
    """One look-up has bad lines, another is late: the record is set aside now, in whatever order they stand."""
    blocks = [items(), notes(missing="keep", note="int")]
    shop = Shop(tmp_path, "".join(reversed(blocks) if reverse else blocks))
    shop.order("a")
    shop.put("notes", "a", "note", "many")
    report = shop.run(1)
    assert (outcome(report), report.records.quarantined, shop.bad()) == (DONE, 1, ["bad-value"])


def test_a_record_whose_own_value_is_bad_is_asked_nothing_and_does_not_wait(tmp_path: Path) -> None:
    shop = Shop(tmp_path, items())
    shop.order("a", total="much")
    report = shop.run(1)
    assert (outcome(report), shop.bad(), report.lookups["items"].keys) == (DONE, ["bad-value"], 0)


def test_a_lookup_that_asks_by_a_late_one_is_asked_when_that_is_there(tmp_path: Path) -> None:
    """A chain over a look-up that waits: first nothing is asked, then both join, or neither after the wait."""
    chained = """\
  stores:
    connector: memory
    rows: [{note: n1, city: Lugo}]
    columns: {city: string}
    join: {on: note, missing: {retry_for: 1h}}
"""
    shop = Shop(tmp_path, notes() + chained)
    shop.order("a")
    shop.order("b")
    report = shop.run(1)
    assert (outcome(report), report.lookups["stores"].keys) == ({"retry": 2}, 0)
    shop.put("notes", "a", "note", "n1")
    assert outcome(shop.run(10)) == {"done": 2}
    assert [(row["note"], row["city"]) for row in shop.rows()] == [("n1", "Lugo"), (None, None)]


@pytest.mark.parametrize("missing", ["keep", "{retry_for: 1h}"])
def test_a_null_key_waits_for_nothing(tmp_path: Path, missing: str) -> None:
    """Null matches nothing, so no later delivery can help."""
    lookup = "  people: {connector: memory, rows: [], columns: {name: string}, join: {on: customer, missing: %s}}\n"
    shop = Shop(tmp_path, lookup % missing)
    shop.order("a", customer=None)
    shop.order("b", customer="c1")
    assert outcome(shop.run(1)) == ({"done": 2} if missing == "keep" else {"done": 1, "retry": 1})
    assert shop.rows()[0]["id"] == "a"


def test_a_null_key_of_a_required_column_is_bad_at_once(tmp_path: Path) -> None:
    people = """\
  people:
    connector: memory
    rows: []
    columns: {name: {type: string, required: true}}
    join: {on: customer, missing: {retry_for: 1h}}
"""
    shop = Shop(tmp_path, people)
    shop.order("a", customer=None)
    assert (outcome(shop.run(1)), shop.bad()) == (DONE, ["no-match"])


def test_without_waiting_a_miss_is_kept(tmp_path: Path) -> None:
    """`no_wait` takes every object as it is now; what a required column needs is bad now."""
    shop = Shop(tmp_path, items() + notes(note="{type: string, required: true}"))
    shop.order("a")
    shop.order("b")
    shop.put("notes", "b", "note", "n1")
    report = shop.run(1, wait=False)
    assert (outcome(report), shop.bad()) == ({"done": 2}, ["no-match"])
    assert [(row["id"], row["items"]) for row in shop.rows()] == [("b", [])]
    assert outcome(shop.run(1)) == {"retry": 2}


class Events:
    """A source in time that is told what to answer; `asked` counts the keys."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.asked = 0

    def fetch(self, keys: Any) -> list[Record]:
        self.asked += len(keys)
        return self.records


@pytest.mark.parametrize("windowed", [False, True])
def test_a_miss_is_not_cached_while_it_waits(tmp_path: Path, windowed: bool) -> None:
    """With a `cache` of a day each delivery asks again until there is a match, with and without a `window`."""
    people = """\
  people:
    connector: memory
    rows: []
    columns: {name: string}
    join: {on: id, missing: {retry_for: 10m}}
    cache: 1d
"""
    shop, events = Shop(tmp_path, people), Events()
    spec = shop.spec()
    [source] = spec.lookups
    connector = replace(source.connector, lookup=lambda _options, _context: events, order="time")
    window = TimeWindow(column="at", before=MINUTE, after=MINUTE) if windowed else None
    spec = replace(spec, lookups=(replace(source, connector=connector, window=window),))
    shop.order("a", at=BORN.isoformat())
    for minutes in (1, 2, 3):
        assert outcome(shop.run(minutes, spec=spec)) == WAITS
    assert events.asked == 3
    events.records = [Record(fields={"id": "a", "name": "Ada"}, time=BORN)]
    assert outcome(shop.run(4, spec=spec)) == DONE
    assert (events.asked, shop.rows()[0]["name"]) == (4, "Ada")


class Orders:
    """A driver whose objects are one order each."""

    def accepts(self, _uri: str) -> bool:
        return True

    def read(self, items: Any) -> list[Record]:
        return [Record(fields={"id": "a"}, item=item) for item in items]

    def list(self, _window: Any) -> Any:
        raise AssertionError


class Nowhere:
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
    driver = replace(spec.driver.connector, driver=lambda _options, _context: Orders())
    sink = replace(spec.sink.connector, sink=lambda _options, _context: Nowhere())
    spec = replace(
        spec, driver=replace(spec.driver, connector=driver), sink=replace(spec.sink, connector=sink)
    )
    report = Engine(spec, Services(now=lambda: BORN + timedelta(seconds=age))).run(
        [Item(uri="a", modified=BORN)], wait=wait
    )
    assert outcome(report) == (WAITS if wait and age < max(limits) else DONE)
