"""An object of many records is done as one that is a record: all of it or nothing, whatever batches it takes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from kit.run import records_in, rows_in
from kit.specs import valid
from plait.engine import engine as engines
from plait.engine import parts
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.report import Report
from plait.engine.settle import Outcomes
from plait.engine.transform import item_of
from plait.plugin import GiveUp, Item, ObjectChanged, PlaitError, TryAgain

SPEC = """
plait: 1
name: events
sources:
  events:
    connector: json
    path: ROOT/raw/*
    records: lines
    only: {kind: [order]}
    columns: {id: {type: int, required: true}, shop: string, tags: array<string>, line: {type: bigint, from: $position}}
  shops:
    connector: memory
    rows: [{shop: a, city: Lugo}, {shop: b, city: Vigo}, {shop: b, city: Noia}]
    columns: {city: string}
    join: {on: shop, as: rows, missing: MISSING}
partition_by: {shop: shop}
sink: {connector: parquet, path: ROOT/lake/}
"""
QUARANTINE = "quarantine: ROOT/bad/\n"
lines = st.builds(
    lambda number, shop, kind, tags: json.dumps({"id": number, "shop": shop, "kind": kind, "tags": tags}),
    st.sampled_from([*range(5), "x", None]),
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from(["order", "order", "order", "visit"]),
    st.none() | st.lists(st.none() | st.text(max_size=3), max_size=2),
)
objects = st.lists(st.lists(lines | st.sampled_from(["", "{", "[]"]), max_size=12), min_size=1, max_size=4)


def engine(root: Path, missing: str = "keep", text: str = SPEC + QUARANTINE) -> Engine:
    return Engine(valid(text.replace("MISSING", missing), ROOT=root), Services())


def put(root: Path, *objects: list[str]) -> None:
    (root / "raw").mkdir(parents=True, exist_ok=True)
    for number, texts in enumerate(objects):
        data = "\n".join(texts).encode()
        (root / f"raw/{number}").write_bytes(gzip.compress(data, mtime=0) if number % 2 else data)


def run(root: Path, patch: pytest.MonkeyPatch, room: int, **options: Any) -> tuple[Report, list[Outcomes]]:
    """Run over all objects by batches of so many bytes."""
    patch.setattr(engines, "room_for_batch", lambda: room)
    work, outcomes = engine(root, **options), list[Outcomes]()
    return work.run(work.find(), progress=outcomes.append), outcomes


def files(root: Path) -> dict[str, bytes]:
    """All that stands in the lake and in quarantine, but for when the objects were modified."""
    found = [file for part in ("lake", "bad") for file in (root / part).rglob("*.*")]
    return {str(file.relative_to(root)): file.read_bytes() for file in found}


@settings(max_examples=60, deadline=None)
@given(objects, st.integers(1, 4_000))
def test_any_split_into_batches_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], room: int
) -> None:
    """And the same counts, whatever is bad, left out, dropped or has several rows."""
    root = tmp_path_factory.mktemp("split")
    put(root, *texts)
    with pytest.MonkeyPatch.context() as patch:
        whole, _ = run(root, patch, 1 << 30, missing="drop")
        expected = files(root)
        split, _ = run(root, patch, room, missing="drop")
    assert files(root) == expected
    assert (split.records, split.objects, split.rows) == (whole.records, whole.objects, whole.rows)
    assert sorted(map(repr, split.problems)) == sorted(map(repr, whole.problems))
    assert whole.records.read == sum(bool(line) for lines in texts for line in lines)


def order(number: Any, shop: str = "a") -> str:
    return json.dumps({"id": number, "shop": shop, "kind": "order"})


@pytest.mark.parametrize("room", [1, 1 << 30])
@pytest.mark.fault("J13")
def test_the_quarantine_of_an_object_is_one_file_and_goes_with_its_last_bad_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Of an object that is mended no line stays behind; the report says which lines are bad."""
    put(tmp_path, [order(1), "{", order("x"), "", order(4)])
    report, _ = run(tmp_path, monkeypatch, room)
    [file] = (tmp_path / "bad").iterdir()
    bad = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(body["position"], body["code"]) for body in bad] == [("2", "bad-record"), ("3", "bad-value")]
    assert [problem.note for problem in report.problems] == ["line 2", "line 3"]
    put(tmp_path, [order(1), order("y")])
    run(tmp_path, monkeypatch, room)
    assert [json.loads(line)["position"] for line in file.read_text().splitlines()] == ["2"]
    put(tmp_path, [order(1)])
    run(tmp_path, monkeypatch, room)
    assert [*(tmp_path / "bad").iterdir()] == []


@pytest.mark.parametrize("room", [1, 1 << 30])
def test_without_quarantine_one_bad_line_fails_its_object_and_nothing_of_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    put(tmp_path, [order(1), "{", order("x"), order(4)], [order(5)])
    report, _ = run(tmp_path, monkeypatch, room, text=SPEC)
    assert (report.objects["done"], report.objects["failed"]) == (1, 1)
    assert [row["id"] for row in rows_in(tmp_path / "lake")] == [5]
    [problem] = report.problems
    assert (problem.code, problem.note) == ("bad-record", "line 2")
    assert report.records.read == 1


@pytest.mark.parametrize("room", [1, 1 << 30])
def test_a_line_that_waits_lets_its_whole_object_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Nothing of it is written or set aside, and the look-ups are not asked for the rest of it."""
    put(tmp_path, [order(1), order(2, "c"), "{", *map(order, range(50))], [order(5)])
    report, _ = run(tmp_path, monkeypatch, room, missing="{retry_for: 10m}")
    assert (report.objects["done"], report.objects["retry"]) == (1, 1)
    assert [row["id"] for row in rows_in(tmp_path / "lake")] == [5]
    assert records_in(tmp_path / "bad") == []
    assert report.records.read == 1
    assert report.lookups["shops"].keys <= 3


@pytest.mark.parametrize("room", [1, 1 << 30])
@pytest.mark.parametrize("error", [ObjectChanged("changed"), TryAgain("later"), GiveUp("denied")])
def test_a_file_that_cannot_be_written_is_the_error_of_its_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, error: PlaitError
) -> None:
    """One that changed is read again; of another nothing is committed or set aside."""
    put(tmp_path, [order(1), "{", order(2, "b"), order(3, "c")])
    monkeypatch.setattr(engines, "room_for_batch", lambda: room)
    work = engine(tmp_path)
    write, errors = work.sink.write, [error]
    work.sink.write = lambda files: [errors.pop() if errors else answer for answer in write(files)]  # type: ignore[method-assign]
    report = work.run(work.find())
    outcome = {"object-changed": "done", "try-again": "retry"}.get(error.code, "failed")
    assert report.objects[outcome] == 1
    assert bool(report.records.read) == (tmp_path / "bad").exists() == (outcome == "done")


def test_an_object_that_changes_between_its_batches_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver may read an object in several requests; rows of two versions never stand in one file."""
    put(tmp_path, [order(n) for n in range(4)])
    monkeypatch.setattr(engines, "room_for_batch", lambda: 1)
    work, reads = engine(tmp_path), [0]
    read = work.driver.read

    def changing(items: list[Item]) -> Any:
        reads[0] += 1
        for number, record in enumerate(read(items)):
            item = structs.replace(item_of(record), etag=f"{reads[0] == 1 and number}")
            yield structs.replace(record, item=item)

    monkeypatch.setattr(work.driver, "read", changing)
    report = work.run(work.find())
    assert (reads, report.objects["done"], report.records.written) == ([2], 1, 4)


def test_a_preview_reads_only_the_records_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, [order(n) for n in range(1_000)], [order(1)])
    monkeypatch.setattr(engines, "room_for_batch", lambda: 1)
    work = engine(tmp_path)
    table, _ = work.preview([*work.find()], 10)
    assert table.column("id").to_pylist() == [*range(10)]
    assert (work.report.records.read, work.report.objects["seen"]) == (10, 1)


def test_an_object_of_too_many_bad_lines_fails_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set aside of one object takes a part of the memory at most, as its rows would not."""
    put(tmp_path, ["{"] * 40, [order(5)])
    monkeypatch.setattr(parts, "room_for_bad_records", lambda: 10_000)
    report, _ = run(tmp_path, monkeypatch, 1)
    assert (report.objects["failed"], report.objects["done"]) == (1, 1)
    assert [problem.code for problem in report.problems] == ["too-many-bad-records"]
    assert not (tmp_path / "bad").exists()
