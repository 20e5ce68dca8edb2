"""The memory of a run is bounded by the bytes of a batch, never by the number of objects."""

from __future__ import annotations

import gc
import gzip
import json
import os
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import parquet

from kit.specs import valid
from plait.engine import engine as engines
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.parts import take_part
from plait.engine.transform import item_of
from plait.plugin import Item, ReadFailure, Record, StoredObject, TryAgain, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plait.engine.report import Report
    from plait.plugin import Put

SPEC = """
plait: 1
name: orders
sources:
  orders: {connector: json, path: "s3://in/*.json", columns: {id: string, items: "array<struct<n:int>>"}}
sink: {connector: parquet, path: "s3://out/"}
quarantine: s3://bad/
"""
FEW, MANY = 2_000, 6_000


class Objects:
    """Objects that are made when they are read: one in ten is a bad record."""

    def __init__(self, body: str) -> None:
        self.body = body

    def get(self, uris: Sequence[str], _limit: int | None = None) -> Iterator[StoredObject]:
        for uri in uris:
            data = f'{{"id": "{uri}", {self.body}}}' if not uri.endswith("7.json") else '{"id": 7}'
            yield StoredObject(item=Item(uri=uri, size=len(data)), data=data.encode())

    def put(self, puts: Sequence[Put]) -> list[Written]:
        return [Written(uri=put.uri, rows=0, bytes=len(put.data)) for put in puts]


def run(objects: int, body: str = '"items": []') -> Report:
    """The report of a run over so many objects."""
    services: Any = Services()
    services.objects = Objects(body)
    return Engine(valid(SPEC), services).run(
        (Item(uri=f"s3://in/{number:06d}.json") for number in range(objects)), batch=100
    )


def test_a_report_of_many_objects_takes_the_memory_of_one_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Totals are whole; of objects, files and problems it keeps some."""
    monkeypatch.setattr("plait.engine.report.MAX_KEPT", 100)
    run(FEW)
    taken: list[int] = []
    tracemalloc.start()
    for objects in (FEW, MANY):
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        report = run(objects)
        gc.collect()
        taken.append(tracemalloc.get_traced_memory()[0] - before)
        assert report.objects["done"] == report.records.read == objects
        assert report.file_count == report.rows == objects * 9 // 10
        assert report.records.quarantined == objects // 10
        assert len(report.outcomes) == len(report.files) == 100 >= len(report.problems)
    tracemalloc.stop()
    assert (taken[1] - taken[0]) / (MANY - FEW) <= 20


def test_a_batch_closes_when_its_values_fill_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The batches are smaller than the number of objects allows; what is written is the same."""
    body = f'"items": [{", ".join(["{}"] * 1_000)}], "not wanted": [{", ".join(["{}"] * 30_000)}]'
    monkeypatch.setattr(engines, "room_for_batch", lambda: 4 << 20)
    tracemalloc.start()
    run(1, body)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    report = run(200, body)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert (report.rows, report.batches > 5) == (180, True)
    assert peak < 4 * (4 << 20)


@pytest.mark.parametrize(
    ("rooms", "parts"),
    [
        ((20, 20, 20, 20), ["a1 a2+", "a3", "b1 b2", "c d"]),  # an object that does not fit goes on, alone
        ((30, 20, 20), ["a1 a2 a3", "b1 b2", "c d"]),
        (
            (40, 20, 20),
            ["a1 a2 a3", "b1 b2", "c d"],
        ),  # one that does not fit behind others waits for the next part
        ((60, 20), ["a1 a2 a3 b1 b2 c", "d"]),
        ((1, 1, 1, 1, 1, 1, 1), ["a1+", "a2+", "a3", "b1+", "b2", "c", "d"]),
        ((99,), ["a1 a2 a3 b1 b2 c d"]),
    ],
)
def test_a_part_has_whole_objects_or_one_that_goes_on(rooms: tuple[int, ...], parts: list[str]) -> None:
    """It closes behind an object of one record that fills its room, or before the first object beyond it."""
    items = {name: Item(uri=name, size=10) for name in "abcd"}
    names = ["a1", "a2", "a3", "b1", "b2", "c"]
    answers: list[Record | ReadFailure] = [
        Record(fields={}, item=items[name[0]], position=name[1:]) for name in names
    ]
    answers.append(ReadFailure(items["d"], TryAgain("later")))
    remaining, following, taken, goes_on = iter(answers), list[Record | ReadFailure](), [], False
    for room in rooms:
        part = take_part(remaining, following, None, room, alone=goes_on)
        shown = [item_of(answer).uri + getattr(answer, "position", "") for answer in part.answers]
        taken.append(" ".join(shown) + "+" * part.goes_on)
        following, goes_on = part.following or [], part.goes_on
    assert taken == parts
    assert not following


LIMITED = """
import json, resource, sys, threading
threading.stack_size(1 << 20)  # RLIMIT_AS counts the whole stack of each thread, 8 MB of which a page or two is used
import plait, obstore, pyarrow.compute, pyarrow.parquet
def taken():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) << 10
if int(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) << 20,) * 2)
before = taken()
report = plait.load("spec.yaml").run()
print(json.dumps({"taken": taken() - before, **report.as_json()}))
"""
ELEMENTS = int(os.environ.get("PLAIT_ELEMENTS", "20_000_000"))  # of a list, three bytes each
OBJECTS = int(os.environ.get("PLAIT_OBJECTS", "150"))  # of a megabyte


def run_apart(
    folder: Path, column: str, limit: int = 0, records: str = "document", memory: int = 1024
) -> dict[str, Any]:
    """The report of a run in a process of its own, and what memory it took above its imports."""
    source = f'{{connector: json, path: "in/*.json", records: {records}, columns: {{id: string, {column}}}}}'
    spec = f"plait: 1\nname: large\nsources:\n  large: {source}\nsink: {{connector: parquet, path: out/}}\nquarantine: bad/\n"
    (folder / "spec.yaml").write_text(spec)
    environment = {**os.environ, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory), "MALLOC_ARENA_MAX": "2"}
    command = [sys.executable, "-P", "-c", LIMITED, str(limit)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A folder of ten objects, one of which has a list of very many empty mappings."""
    (tmp_path / "in").mkdir()
    for number in range(10):
        elements = ELEMENTS if number == 5 else 1
        text = b'{"id": "a", "items": [' + b",".join([b"{}"] * elements) + b"]}"
        (tmp_path / "in" / f"{number}.json").write_bytes(text)
    return tmp_path


@pytest.mark.fault("J3")
@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux alone")
def test_an_object_of_too_many_values_is_a_bad_record_and_its_neighbours_are_done(large: Path) -> None:
    """In a function of 1,024 MB, whose address space has no more; 60 MB of `[{},{},…]` would take 1.6 GB."""
    report = run_apart(large, 'items: "array<struct<n:int>>"', 1024)
    assert report["records"] == {"read": 10, "written": 9, "dropped": 0, "quarantined": 1, "left_out": 0}
    assert [problem["code"] for problem in report["problems"]] == ["object-too-large"]


@pytest.mark.fault("J3")
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux alone")
def test_what_is_not_wanted_of_an_object_takes_no_memory_but_its_bytes(large: Path) -> None:
    report = run_apart(large, "x: string")
    assert report["records"]["written"] == 10
    assert report["taken"] <= 3 * 3 * ELEMENTS


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux alone")
def test_many_objects_of_a_megabyte_take_the_memory_of_a_batch(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(OBJECTS):
        text = f'{{"id": "{number}", "text": "{"x" * 1_000_000}"}}'
        (tmp_path / "in" / f"{number}.json").write_text(text)
    report = run_apart(tmp_path, "text: string")
    assert (report["rows"], report["batches"] > OBJECTS // 40) == (OBJECTS, True)
    assert report["taken"] <= 400 << 20


LINES = int(os.environ.get("PLAIT_LINES", "50_000"))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux alone")
def test_an_object_of_many_lines_takes_the_memory_of_its_rows_and_of_a_batch(tmp_path: Path) -> None:
    """A million lines in one gzip object take 360 MB in all; rows and files are those of a run by one batch."""
    (tmp_path / "in").mkdir()
    with gzip.open(tmp_path / "in/a.json", "wt", compresslevel=1) as file:
        for n in range(LINES):
            text = "{" if n % 1000 == 7 else json.dumps({"id": f"order {n}", "n": n, "more": "x" * 100})
            file.write(f"{text}\n")
    report = run_apart(tmp_path, "n: int", records="lines", memory=256)
    bad = LINES // 1000
    assert report["records"]["read"] == LINES
    assert (report["records"]["written"], report["rows"]) == (LINES - bad, LINES - bad)
    assert (report["batches"] > 1, report["file_count"]) == (True, 1)
    assert report["taken"] <= (120 << 20) + 200 * LINES
    [file_of_rows] = (tmp_path / "out").iterdir()
    assert parquet.read_table(file_of_rows).column("n").to_pylist() == [
        n for n in range(LINES) if n % 1000 != 7
    ]
    [quarantined] = (tmp_path / "bad").iterdir()
    assert quarantined.read_bytes().count(b"\n") == bad
