"""Orders in a folder with a quarantine, replayed as often as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kit.run import put, rows_in
from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.quarantine import texts_of
from plait.engine.replay import Choice, ReplayReport, replay
from plait.language.spec import Spec
from plait.plugin import Driver, Item, ReadFailure, Record, Sink, StoredObject, Window

BORN = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SPEC = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: ROOT/raw/*.json
    columns: {id: {type: string, required: true}, total: int}
  items:
    connector: csv
    path: ROOT/items/{id}.csv
    columns: {count: int}
    join: {on: id, as: list, missing: {retry_for: 1h}}
sink: {connector: parquet, path: ROOT/lake/}
quarantine: ROOT/bad/
"""


class Lines(Driver[Any]):
    """A driver of which each line of an object, `id,total`, is a record."""

    position_word = "line"

    def __init__(self, engine: Engine) -> None:
        self.driver, self.objects = engine.driver, engine.services.objects

    def accepts(self, uri: str) -> bool:
        return self.driver.accepts(uri)

    def list(self, window: Window) -> Any:
        return self.driver.list(window)

    def read(self, items: Sequence[Item]) -> Any:
        answers = self.objects.get([item.uri for item in items])
        for item, answer in zip(items, answers, strict=True):
            if not isinstance(answer, StoredObject):
                yield ReadFailure(item, answer)
                continue
            for n, line in enumerate(answer.data.splitlines()):
                fields = dict(zip(("id", "total"), line.decode().split(","), strict=True))
                yield Record(fields=fields, item=answer.item, position=str(n), raw=line)


@dataclass
class Shop:
    """Orders in a folder and what became of them; `before_write` happens before rows are written."""

    root: Path
    lines: bool = False
    now: datetime = BORN + DAY
    before_write: Callable[[], None] = field(default=lambda: None)
    answer: Any = None

    def put(self, name: str, body: Any, born: datetime = BORN) -> None:
        """Put an order: its JSON, or a text as it is."""
        put(self.root / "raw" / f"{name}.json", body, born)

    def spec(self, path: str = "raw/*.json") -> Spec:
        """The valid spec, of orders at a path."""
        return valid(SPEC.replace("raw/*.json", path), ROOT=self.root)

    def engine(self, spec: Spec | None = None) -> Engine:
        """An engine of a process of its own; the sink answers what the shop says, if anything."""
        engine = Engine(spec or self.spec(), Services(now=lambda: self.now))
        write = engine.sink.write

        class Moment(Sink[Any]):
            def write(_self, files: Sequence[Any]) -> Any:  # noqa: N805 - `self` is the shop
                self.before_write()
                return write(files) if self.answer is None else [self.answer] * len(files)

        engine.sink = Moment(None)
        engine.driver = Lines(engine) if self.lines else engine.driver
        return engine

    def run(self) -> None:
        """Run over all orders."""
        engine = self.engine()
        engine.run(engine.find())

    def replay(self, *codes: str, **options: Any) -> ReplayReport:
        """Replay; the numbers add up, or it raises."""
        window = Window(since=options.pop("since", None), until=options.pop("until", None))
        return replay(self.engine(), Choice(codes=codes, window=window), **options)

    def bodies(self) -> dict[str, tuple[Path, dict[str, Any]]]:
        """The records in quarantine with their files, by the name of the order, and by the line where there are several."""
        files = [*(self.root / "bad").rglob("*.json*")]
        bodies = [
            (file, json.loads(text)) for file in files for text in texts_of(file.name, file.read_bytes())
        ]
        return {
            f"{Path(body['object']).stem} {body['position']}".rstrip(): (file, body) for file, body in bodies
        }

    def records(self) -> dict[str, Path]:
        """The files in quarantine, by the same names."""
        return {name: file for name, (file, _) in self.bodies().items()}

    def bad(self) -> dict[str, str]:
        """The codes in quarantine, by the same names."""
        return {name: body["code"] for name, (_, body) in self.bodies().items()}

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows of the lake."""
        return sorted((row["id"], row["total"]) for row in rows_in(self.root / "lake"))
