"""The memory of a run is bounded by the bytes of a batch, never by the number of objects."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from kit.specs import valid
from plait.engine import engine as engines
from plait.engine.context import Services
from plait.engine.engine import Engine, take_part
from plait.plugin import Item, ReadFailure, Record, StoredObject, TryAgain, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def test_a_part_has_whole_objects() -> None:
    """It closes before the first object that begins beyond its room."""
    a, b, c = (Item(uri=uri, size=10) for uri in "abc")
    answers: list[Record | ReadFailure] = [Record(fields={}, item=item) for item in (a, a, a, b, c)]
    failure = ReadFailure(c, TryAgain("later"))
    parts: list[list[Record | ReadFailure]] = []
    following: list[Record | ReadFailure] = []
    remaining = iter([*answers, failure])
    while not parts or following:
        part, following = take_part(remaining, following, None, 20)
        parts.append(part)
    assert parts == [answers[:3], [*answers[3:], failure]]
