"""The driving objects that never arrived: no file of the sink or of the quarantine has their name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine.engine import Engine
from plait.engine.partition import file_name
from plait.engine.quarantine import find_files
from plait.pipeline.nearby import find
from plait.plugin import GiveUp, Item, Sink, Written
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.plugin import File, Window

AT_ONCE = 1_000  # objects that are read together
COUNTS = ("listed", "arrived", "empty", "gone", "missing", "outdated", "unread")
OBJECTS = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -65536; -- KiB; what is more goes to a file, which ends with the connection
CREATE TABLE object (name TEXT UNIQUE, uri BLOB, modified INTEGER, written INTEGER);
"""
INSERT = "INSERT OR IGNORE INTO object VALUES (?, ?, ?, NULL)"
NOTE = "UPDATE object SET written = max(coalesce(written, 0), ?) WHERE name = ?"
ABSENT = "SELECT uri, written FROM object WHERE written IS NULL OR written < modified ORDER BY rowid"


class MissingObjects:
    """The URIs of the driving objects whose newest version never arrived; each iteration lists and compares anew.

    `counts` says, once all are iterated, how many objects were `listed`, and of these `arrived`, are `empty` (give no
    row) or `gone`, which takes reading them; and of those that are not left out, how many are `missing`, are `outdated`
    (files have an older version of them), or are `unread`: only the first `most_read` without a newer file are read.
    """

    def __init__(self, engine: Engine, window: Window, most_read: int) -> None:
        self._engine, self._window, self._most_read = engine, window, most_read
        self.counts: dict[str, int] = {}

    def __iter__(self) -> Iterator[str]:
        """List the objects, then the files, which are younger, so that what is written meanwhile is not missing."""
        self.counts = counts = dict.fromkeys(COUNTS, 0)
        with closing(sqlite3.connect("")) as database:
            database.executescript(OBJECTS)
            database.executemany(INSERT, map(_row, find(self._engine, self._window)))
            database.executemany(NOTE, _written(self._engine))
            [[counts["listed"]]] = database.execute("SELECT count(*) FROM object")
            absent, room = database.execute(ABSENT), self._most_read
            while rows := absent.fetchmany(AT_ONCE):
                objects = {uri.decode("utf-8", "surrogatepass"): written for uri, written in rows}
                outcomes = _outcomes(self._engine, [*islice(objects, room)])
                room -= len(outcomes)
                for uri, written in objects.items():
                    outcome = outcomes.get(uri, "unread")
                    if outcome == "missing" and written is not None:
                        outcome = "outdated"
                    counts[outcome] += 1
                    if outcome not in ("empty", "gone"):
                        yield uri
        counts["arrived"] = 2 * counts["listed"] - sum(counts.values())


def _row(item: Item) -> tuple[str, bytes, int]:
    uri = normal_uri(item.uri)
    return file_name(uri), uri.encode("utf-8", "surrogatepass"), _seconds(item)


def _seconds(item: Item) -> int:
    """When an object was modified, in whole seconds, as S3 tells it; 0 where nobody knows."""
    return int(item.modified.timestamp()) if item.modified else 0


def _written(engine: Engine) -> Iterator[tuple[int, str]]:
    """When each file of the sink and of the quarantine was written, and its name."""
    spec, folder, suffix = engine.spec, engine.plan.sink_path, engine.spec.sink.role.suffix
    if folder is None or not suffix:
        message = f"the sink `{spec.sink.connector.name}` writes no files that are named by their objects"
        raise GiveUp(message, code="unreadable-sink", help="compare the objects with its rows")
    objects = engine.services.objects
    try:
        for item in objects.list(f"{folder.rstrip('/')}/"):
            if item.uri.endswith(suffix):
                yield _seconds(item), item.uri.rpartition("/")[2].removesuffix(suffix)
    except GiveUp as error:
        if error.code != "no-folder":  # which the first run makes
            raise
    for item in find_files(objects, spec) if spec.quarantine else ():
        yield _seconds(item), item.uri.rpartition("/")[2].partition(".")[0]


class _RowSink(Sink[Any]):
    """Notes which objects give rows, and writes nothing."""

    def __init__(self) -> None:
        self.uris: set[str] = set()

    def write(self, files: Sequence[File]) -> list[Written]:
        """Note the objects of the files."""
        self.uris |= {file.item.uri for file in files}
        return [Written(uri=file.item.uri, rows=file.table.num_rows, bytes=0) for file in files]


def _outcomes(engine: Engine, uris: Sequence[str]) -> dict[str, str]:
    """What would become of objects: `gone`, `empty` of one that gives no row, else `missing`; one with a bad record is missing."""
    if not uris:
        return {}
    trial = Engine(structs.replace(engine.spec, quarantine=None), engine.services)
    trial.sink, outcomes = (sink := _RowSink()), dict[str, str]()
    trial.run((Item(uri=uri) for uri in uris), progress=lambda settled: outcomes.update(settled.by_uri))
    words = {uri: "empty" for uri, outcome in outcomes.items() if outcome == "done" and uri not in sink.uris}
    words |= {uri: "gone" for uri, outcome in outcomes.items() if outcome == "gone"}
    return dict.fromkeys(outcomes, "missing") | words
