"""A run does each object once, as it is in the end, asks all look-ups at once, and counts what it did."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kit import fakes
from kit.run import put, rows_in
from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.language.spec import Spec
from plait.plugin import File, Item, Lookup, ObjectChanged, PlaitError, Record, Sink, Written

SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: "ROOT/raw/*.json", columns: {id: string, total: int}}
  people: {connector: memory, rows: [{id: a, name: Ana}], columns: {name: string}, join: {on: id}}
  places: {connector: memory, rows: [{id: a, city: Lugo}], columns: {city: string}, join: {on: id}}
sink: {connector: parquet, path: ROOT/lake/}
"""


def spec(root: Path) -> Spec:
    """The valid spec in a folder."""
    return valid(SPEC, ROOT=root)


def put_order(root: Path, id: str, total: int) -> Item:
    """Put an order."""
    return Item(uri=put(root / "raw" / f"{id}.json", {"id": id, "total": total}))


def lake(root: Path) -> dict[str, int]:
    """The totals in the lake."""
    return {row["id"]: row["total"] for row in rows_in(root / "lake")}


class Moved(Sink[Any]):
    """A sink before whose writes an order is overwritten, so many times."""

    def __init__(self, root: Path, times: int, sink: Any) -> None:
        self.root, self.times, self.sink = root, times, sink
        self.asked: Counter[str] = Counter()

    def write(self, files: Sequence[File]) -> list[Written | PlaitError]:
        return [answer for file in files for answer in self._written(file)]

    def _written(self, file: File) -> Sequence[Written | PlaitError]:
        id = Path(file.item.uri).stem
        self.asked[id] += 1
        if id != "a" or self.asked[id] > self.times:
            answers: Sequence[Written | PlaitError] = self.sink.write([file])
            return answers
        put_order(self.root, "a", 100 + self.asked[id])
        return [ObjectChanged(f"`{file.item.uri}` changed while it was read")]


def moving(root: Path, times: int) -> tuple[Engine, Moved]:
    """An engine whose order `a` is overwritten so many times while it is written."""
    engine = Engine(spec(root), Services())
    moved = Moved(root, times, engine.sink)
    engine.sink = moved
    return engine, moved


@pytest.mark.parametrize("times", [1, 2])
def test_an_object_that_changed_while_it_was_read_is_read_again(tmp_path: Path, times: int) -> None:
    """Its last version is what the lake has, nothing is told, and its neighbours are not done again."""
    items = [put_order(tmp_path, "a", 1), put_order(tmp_path, "b", 2)]
    engine, moved = moving(tmp_path, times)
    report = engine.run(items)
    assert lake(tmp_path) == {"a": 100 + times, "b": 2}
    assert moved.asked == {"a": 1 + times, "b": 1}
    assert (report.ok, report.problems, report.rows, len(report.files)) == (True, [], 2, 2)
    assert (report.records.read, report.records.written) == (2, 2)


def test_an_object_that_never_stays_as_it_is_comes_again_later(tmp_path: Path) -> None:
    """After three readings it is told once."""
    items = [put_order(tmp_path, "a", 1), put_order(tmp_path, "b", 2)]
    engine, moved = moving(tmp_path, 99)
    report = engine.run(items)
    assert report.outcomes == {items[0].uri: "retry", items[1].uri: "done"}
    assert moved.asked == {"a": 3, "b": 1}
    assert [problem.message for problem in report.problems] == [f"`{items[0].uri}` changes while it is read"]
    assert (report.records.read, report.rows, [*lake(tmp_path)]) == (1, 1, ["b"])


class Meeting(Lookup[Any]):
    """A look-up that answers once all others were asked too."""

    def __init__(self, all_asked: threading.Barrier) -> None:
        self.all_asked = all_asked

    def fetch(self, _keys: Any) -> list[Record]:
        self.all_asked.wait(20)
        return []


def test_look_ups_that_need_nothing_of_each_other_are_asked_side_by_side(tmp_path: Path) -> None:
    pipeline_spec = spec(tmp_path)
    all_asked = threading.Barrier(2)
    lookups = tuple(
        replace(s, connector=replace(s.connector, lookup=fakes.opened_as(Meeting(all_asked))))
        for s in pipeline_spec.lookups
    )
    report = Engine(replace(pipeline_spec, lookups=lookups), Services()).run([put_order(tmp_path, "a", 1)])
    assert (report.ok, report.rows, all_asked.broken) == (True, 1, False)


def test_an_object_that_is_named_twice_is_done_once(tmp_path: Path) -> None:
    """In a batch, and in another spelling of its name; in another batch it is done again, which changes nothing."""
    item = put_order(tmp_path, "a", 1)
    engine, moved = moving(tmp_path, 0)
    named = [item, item, Item(uri=f"{tmp_path}/raw/./a.json")]
    report = engine.run(named)
    assert moved.asked == {"a": 1}
    assert (report.records.read, report.rows, len(report.files)) == (1, 1, 1)
    assert report.lookups["people"].keys == 1
    first = report.files[0]
    report = engine.run(named, batch=1)
    assert (moved.asked, {file.uri for file in report.files}) == ({"a": 4}, {first.uri})


@pytest.mark.parametrize("field", ["read", "written", "dropped", "quarantined"])
def test_a_record_that_is_lost_ends_the_run(tmp_path: Path, field: str) -> None:
    """Whichever count is one more than it should be, in a run as in a preview."""
    item = put_order(tmp_path, "a", 1)
    for act in ("run", "preview"):
        engine = Engine(spec(tmp_path), Services())
        setattr(engine.report.records, field, 1)
        with pytest.raises(AssertionError, match="records do not add up"):
            getattr(engine, act)([item])


def test_an_object_that_a_run_forgets_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "_batches", lambda *_: iter(()))
    with pytest.raises(AssertionError, match="1 have no outcome"):
        Engine(spec(tmp_path), Services()).run([put_order(tmp_path, "a", 1)])
