"""A sink that is a table shows all rows of a batch at once, and each object's once, whenever a process dies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from kit.run import put, records_in
from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.plugin import File, GiveUp, Item, ObjectChanged, PlaitError, ReadFailure, Record, Settled, TryAgain
from plait_connectors.json import JsonDriver
from plait_connectors.parquet import ParquetSink

SPEC = """\
plait: 1
name: orders
sources: {orders: {connector: json, path: "ROOT/raw/*.json", columns: {id: string, total: int}}}
sink: {connector: parquet, path: ROOT/lake/}
quarantine: ROOT/bad/
"""


class Killed(BaseException):
    """The process dies."""


class MortalObjects:
    """Objects of a process that dies at its n-th step; each put is one, and a commit has one before and one after."""

    def __init__(self, objects: Any, dies_at: int) -> None:
        self.objects, self.dies_at, self.steps = objects, dies_at, 0
        self.list, self.get, self.remove = objects.list, objects.get, objects.remove

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Killed

    def put(self, puts: Sequence[Any]) -> list[Any]:
        answers = []
        for one_put in puts:
            self.step()
            answers += self.objects.put([one_put])
        return answers


class Lines(JsonDriver):
    """Each line of an object is a record, so an object may have none."""

    def read(self, items: Sequence[Item]) -> Iterator[Record | ReadFailure]:
        for answer in self.context.objects.get([item.uri for item in items]):
            for n, line in enumerate(answer.data.splitlines()):  # type: ignore[union-attr]
                fields = json.loads(line)
                yield Record(fields=fields, item=answer.item, position=f"line {n}", raw=line)  # type: ignore[union-attr]


class Table(ParquetSink):
    """Files with the version of their object in their names, and `table.json`, which names those that count by object."""

    refuses: PlaitError | None = None

    def write(self, files: Sequence[File]) -> Any:
        return super().write([replace(file, name=f"{file.name}-{file.item.etag}") for file in files])

    def commit(self, settled: Sequence[Settled]) -> list[PlaitError | None]:
        if self.refuses:
            error, Table.refuses = self.refuses, None
            return [error if done.item.uri.endswith("a.json") else None for done in settled]
        self.context.objects.step()  # type: ignore[attr-defined]
        catalogue = Path(self.options.path.literal) / "table.json"
        entries = json.loads(catalogue.read_text()) if catalogue.exists() else {}
        entries |= {Path(done.item.uri).stem: sorted(file.uri for file in done.files) for done in settled}
        draft = catalogue.with_suffix(".draft")
        put(draft, json.dumps(entries, sort_keys=True))
        draft.replace(catalogue)
        self.context.objects.step()  # type: ignore[attr-defined]
        return [None] * len(settled)


def process(root: Path, dies_at: int = 0) -> tuple[Engine, MortalObjects]:
    """The engine of a new process."""
    spec, services = valid(SPEC, ROOT=root), Services()
    services.objects = mortal = MortalObjects(services.objects, dies_at)
    driver = replace(spec.driver, connector=replace(spec.driver.connector, driver=Lines))
    sink = replace(spec.sink, connector=replace(spec.sink.connector, sink=Table))
    return Engine(replace(spec, driver=driver, sink=sink), services), mortal


def deliver(root: Path, dies_at: int = 0) -> int:
    """Run over all objects, and return the number of steps."""
    engine, mortal = process(root, dies_at)
    assert engine.run(engine.find()).ok
    return mortal.steps


def visible(root: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows that a reader of the table sees, by object."""
    entries = json.loads((root / "lake/table.json").read_text())
    return {
        id: [row for file in files for row in pq.read_table(file).to_pylist()]
        for id, files in entries.items()
    }


def lines(*totals: Any) -> str:
    return "".join(json.dumps({"id": "x", "total": total}) + "\n" for total in totals)


def put_old(root: Path) -> None:
    """Put three objects, and let the table have them."""
    for name, text in {"a": lines(1, 2), "b": lines(3), "c": lines(4)}.items():
        put(root / f"raw/{name}.json", text)
    deliver(root)


def put_new(root: Path) -> None:
    """Put another version of an object, one without rows, and a new one with a bad record."""
    for name, text in {"b": lines(30, 31), "c": "", "d": lines(5, "bad")}.items():
        put(root / f"raw/{name}.json", text)


def test_a_reader_sees_all_of_a_batch_or_nothing_and_redelivery_commits_the_same(tmp_path: Path) -> None:
    """Whichever step the process dies at: a file, a record in quarantine, before the commit or after it."""
    put_old(tmp_path / "calm")
    old = visible(tmp_path / "calm")
    put_new(tmp_path / "calm")
    steps = deliver(tmp_path / "calm")
    new = visible(tmp_path / "calm")
    assert [[row["total"] for row in rows] for rows in new.values()] == [[1, 2], [30, 31], [], [5]]
    seen = []
    for step in range(1, steps + 1):
        root = tmp_path / str(step)
        put_old(root)
        put_new(root)
        with pytest.raises(Killed):
            deliver(root, dies_at=step)
        seen.append(visible(root))
        deliver(root)
        assert visible(root) == new
        assert len(records_in(root / "bad")) == 1
    assert seen == [old] * (steps - 1) + [new]


def test_an_object_that_the_sink_does_not_commit_is_not_done(tmp_path: Path) -> None:
    """It comes again, fails or is read again, as the sink's error says; its neighbours are done."""
    put(tmp_path / "raw/a.json", "")
    put(tmp_path / "raw/b.json", lines(1))
    outcomes = []
    for error in (TryAgain("busy"), GiveUp("full"), ObjectChanged("changed")):
        Table.refuses = error
        engine, _ = process(tmp_path)
        report = engine.run(engine.find())
        outcomes.append([*report.outcomes.values()])
        assert (report.records.read, report.records.written) == (1, 1)
    assert outcomes == [["retry", "done"], ["failed", "done"], ["done", "done"]]
    assert visible(tmp_path)["a"] == []
