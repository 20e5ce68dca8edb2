"""Replay runs what is in quarantine as it is now, and removes a record only once its rows are known to be written."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import plait.engine.replay
from kit.run import put, rows_in
from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.replay import Choice, ReplayReport, replay
from plait.language.spec import Spec
from plait.plugin import Driver, GiveUp, Item, ReadFailure, Record, Sink, StoredObject, TryAgain, Window

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
                yield Record(fields=fields, item=answer.item, position=f"line {n}", raw=line)


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

    def records(self) -> dict[str, Path]:
        """The files in quarantine by the name of the order, and by the line where there are several."""
        files = {file: json.loads(file.read_text()) for file in (self.root / "bad").rglob("*.json")}
        return {
            Path(r["object"]).stem + r["position"].removeprefix("line"): file for file, r in files.items()
        }

    def bad(self) -> dict[str, str]:
        """The codes in quarantine, by the same names."""
        return {name: json.loads(file.read_text())["code"] for name, file in self.records().items()}

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows of the lake."""
        return sorted((row["id"], row["total"]) for row in rows_in(self.root / "lake"))


def fates(report: ReplayReport) -> dict[str, int]:
    """What became of the records, as far as there were any."""
    return {fate: n for fate, n in report.records.items() if n}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Three bad orders and a good one, run once."""
    shop = Shop(tmp_path)
    shop.put("good", {"id": "good", "total": 1})
    shop.put("cut", '{"id": "cu')
    shop.put("word", {"id": "word", "total": "much"}, BORN + DAY / 2)
    shop.put("anonymous", {"total": 4})
    shop.run()
    assert shop.bad() == {"cut": "bad-record", "word": "bad-value", "anonymous": "required-null"}
    return shop


def mend(shop: Shop, *names: str) -> None:
    """Put good orders in place of bad ones."""
    for name in names:
        shop.put(name, {"id": name, "total": 2})


@pytest.mark.fault("H21")
def test_what_is_mended_becomes_a_row_and_what_is_not_stays_with_the_reason_of_now(shop: Shop) -> None:
    """An order that is bad in another way keeps its record, which tells the new reason; a second replay finds that."""
    mend(shop, "cut")
    shop.put("word", '{"id": "wo')
    report = shop.replay()
    assert (report.found, fates(report), report.ok) == (3, {"removed": 1, "bad": 2}, True)
    assert shop.bad() == {"word": "bad-record", "anonymous": "required-null"}
    assert shop.rows() == [("cut", 2), ("good", 1)]
    assert report.run.objects["seen"] == 3
    assert fates(shop.replay()) == {"bad": 2}
    assert shop.rows() == [("cut", 2), ("good", 1)]


def test_the_object_decides_and_not_the_copy_in_quarantine(shop: Shop) -> None:
    """A record whose raw copy was edited is still judged by its object."""
    file = shop.records()["cut"]
    file.write_text(json.dumps({**json.loads(file.read_text()), "raw": '{"id": "cut", "total": 2}'}))
    assert fates(shop.replay()) == {"bad": 3}


@pytest.mark.parametrize("folder", [True, False])
def test_an_empty_quarantine_is_replayed_to_nothing(tmp_path: Path, folder: bool) -> None:
    """Also where the folder was never made, since nothing was ever bad."""
    if folder:
        (tmp_path / "bad").mkdir()
    report = Shop(tmp_path).replay()
    assert (report.found, fates(report), report.ok, report.run.problems) == (0, {}, True, [])


def test_without_a_quarantine_there_is_nothing_to_replay(tmp_path: Path) -> None:
    spec = replace(Shop(tmp_path).spec(), quarantine=None)
    with pytest.raises(GiveUp, match="no `quarantine`"):
        replay(Engine(spec), Choice())


@pytest.mark.parametrize("forget", [False, True])
def test_the_record_of_an_object_that_is_gone_is_kept_unless_it_is_to_be_forgotten(
    shop: Shop, forget: bool
) -> None:
    (shop.root / "raw" / "cut.json").unlink()
    report = shop.replay(forget_gone=forget)
    assert fates(report) == ({"removed": 1, "bad": 2} if forget else {"gone": 1, "bad": 2})
    assert ("cut" in shop.bad()) != forget
    assert report.ok


def test_an_object_that_the_pipeline_does_not_read_is_skipped(shop: Shop) -> None:
    """As after a change of the path; its record stays."""
    records = shop.records()
    report = replay(shop.engine(shop.spec("raw/c*.json")), Choice())
    assert fates(report) == {"bad": 1, "skipped": 2}
    assert shop.records() == records


@pytest.mark.parametrize("forget", [False, True])
def test_files_of_others_stay_with_a_warning(shop: Shop, forget: bool) -> None:
    """Of another pipeline, renamed, of a later format, no JSON, in a folder below: nothing of it is touched."""
    file, later = shop.records()["anonymous"], shop.records()["cut"]
    document = json.loads(file.read_text())
    others = {
        "0" * 32 + ".json": json.dumps(document),
        "1" * 32 + ".json": "no JSON",
        "notes.txt": "mine",
        "below/" + file.name: json.dumps(document),
        file.name: json.dumps({**document, "pipeline": "others"}),
        later.name: json.dumps({**json.loads(later.read_text()), "format_version": 2}),
    }
    for name, text in others.items():
        put(shop.root / "bad" / name, text)
    mend(shop, "anonymous", "cut")
    report = shop.replay(forget_gone=forget)
    assert (report.found, fates(report), report.foreign) == (1, {"bad": 1}, 6)
    assert report.run.objects["seen"] == 1
    assert {name: (shop.root / "bad" / name).read_text() for name in others} == others
    assert [p.level for p in report.run.problems if p.code == "foreign-file"] == ["warning"] * 6
    assert report.ok


@pytest.mark.parametrize(
    ("codes", "options", "expected"),
    [
        (("bad-record",), {}, {"removed": 1, "left": 2}),
        (("bad-record", "required-null"), {}, {"removed": 2, "left": 1}),
        (("never",), {}, {"left": 3}),
        ((), {"since": BORN + DAY / 4}, {"removed": 1, "left": 2}),
        ((), {"until": BORN + DAY / 2}, {"removed": 2, "left": 1}),
        (("bad-value",), {"until": BORN + DAY / 2}, {"left": 3}),
    ],
)
def test_codes_and_times_choose_objects(
    shop: Shop, codes: Any, options: Any, expected: dict[str, int]
) -> None:
    """What is not chosen is neither read nor touched."""
    mend(shop, "cut", "word", "anonymous")
    report = shop.replay(*codes, **options)
    assert fates(report) == expected
    assert report.run.objects["seen"] == 3 - expected["left"]
    assert len(shop.bad()) == expected["left"]


def test_a_dry_run_tells_the_same_in_one_document_and_changes_nothing(shop: Shop) -> None:
    """Not a byte and not a time of any file, and afterwards it happens as it was told."""

    def everything() -> dict[Path, tuple[bytes, int]]:
        files = [file for file in shop.root.rglob("*") if file.is_file()]
        return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}

    mend(shop, "cut")
    before = everything()
    report = shop.replay(dry_run=True).as_json()
    assert everything() == before
    assert json.loads(json.dumps(report)) == report
    counts = {"found": 3, "removed": 1, "bad": 2, "gone": 0, "skipped": 0, "retry": 0, "failed": 0, "left": 0}
    assert [*report["records"].items()] == [*counts.items()]
    assert (report["format_version"], report["dry_run"], report["foreign"]) == (1, True, 0)
    assert report["run"]["objects"]["done"] == 3
    assert shop.replay().as_json()["records"] == counts


@pytest.mark.parametrize(
    ("answer", "fate"), [(TryAgain("no answer came"), "retry"), (GiveUp("denied"), "failed")]
)
def test_where_the_rows_are_not_known_to_be_written_nothing_is_removed(
    shop: Shop, answer: Any, fate: str
) -> None:
    """A put without an answer may have happened or not, so the record stays, and the next replay removes it."""
    mend(shop, "cut", "word", "anonymous")
    records, shop.answer = shop.bad(), answer
    report = shop.replay()
    assert (fates(report), report.ok, shop.bad()) == ({fate: 3}, False, records)
    shop.answer = None
    assert fates(shop.replay()) == {"removed": 3}


def test_a_replay_that_is_cut_off_removes_nothing_of_what_is_underway(shop: Shop) -> None:
    mend(shop, "cut")
    before = shop.bad()

    def stop() -> None:
        raise KeyboardInterrupt

    shop.before_write = stop
    with pytest.raises(KeyboardInterrupt):
        shop.replay()
    assert shop.bad() == before


def test_a_record_that_another_run_sets_aside_meanwhile_stays(shop: Shop) -> None:
    """Between reading the record and removing it a newer, bad version of the object arrived and was set aside."""
    mend(shop, "cut")

    def set_aside_again() -> None:
        shop.before_write = lambda: None
        shop.put("cut", '{"id": "cut", "to')
        Shop(shop.root).engine().run([Item(uri=str(shop.root / "raw" / "cut.json"))])

    shop.before_write = set_aside_again
    assert fates(shop.replay()) == {"bad": 3}
    assert shop.bad()["cut"] == "bad-record"


def test_an_object_that_waits_keeps_its_record(shop: Shop) -> None:
    """It is mended and young, and a look-up has no match yet: it must come again, with exit code 1."""
    shop.put("cut", {"id": "cut", "total": 2}, shop.now)
    report = shop.replay()
    assert (fates(report), report.ok) == ({"retry": 1, "bad": 2}, False)
    put(shop.root / "items/cut.csv", "count\n3\n")
    assert fates(shop.replay()) == {"removed": 1, "bad": 2}


def test_the_fault_of_a_lookup_is_mended_in_the_lookup(tmp_path: Path) -> None:
    """The object stays as it is, and its record goes once the file of items is right."""
    shop = Shop(tmp_path)
    shop.put("a", {"id": "a", "total": 1})
    put(tmp_path / "items/a.csv", "count\nmany\n")
    shop.run()
    assert shop.bad() == {"a": "bad-value"}
    put(tmp_path / "items/a.csv", "count\n3\n")
    assert fates(shop.replay("bad-value")) == {"removed": 1}
    assert (shop.bad(), shop.rows()) == ({}, [("a", 1)])


def test_all_records_of_a_chosen_object_are_run_together(tmp_path: Path) -> None:
    """Records of one object that are good, no longer there, bad in another place, or new, each as it is now."""
    shop = Shop(tmp_path, lines=True)
    shop.put("a", "one,1\ntwo,x\nthree,y\nfour,z")
    shop.put("b", "five,x")
    shop.run()
    assert shop.bad() == dict.fromkeys(["a 1", "a 2", "a 3", "b 0"], "bad-value")
    shop.put("a", "one,x\ntwo,2\nthree,y")
    assert fates(shop.replay()) == {"removed": 2, "bad": 2}
    assert shop.bad() == dict.fromkeys(["a 0", "a 2", "b 0"], "bad-value")
    assert shop.rows() == [("two", 2)]


def put_lines(shop: Shop, objects: dict[str, list[bool] | None]) -> None:
    """Put objects of which each record is good or bad; None is an object that is gone."""
    for name, records in objects.items():
        lines = [f"{name}{n},{n if good else 'x'}" for n, good in enumerate(records or ())]
        shop.put(name, "\n".join(lines))
        if records is None:
            (shop.root / "raw" / f"{name}.json").unlink()


records_strategy = st.lists(st.booleans(), max_size=3)
states = st.tuples(st.lists(st.booleans(), min_size=1, max_size=3), st.none() | records_strategy)


@pytest.mark.fault("H3", "H21")
@given(st.dictionaries(st.sampled_from("abcdefgh"), states, min_size=1), st.integers(1, 4), st.booleans())
def test_replay_leaves_the_quarantine_of_a_run_over_the_objects_of_now(
    orders: dict[str, tuple[list[bool], list[bool] | None]], size: int, forget: bool
) -> None:
    """For any objects, each with good and bad records before and after or gone, and batches of any size."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(plait.engine.replay, "BATCH_SIZE", size)
        shop, clean = (Shop(Path(folder) / name, lines=True) for name in ("replayed", "clean"))
        now = {name: after for name, (_, after) in orders.items()}
        put_lines(shop, {name: before for name, (before, _) in orders.items()})
        shop.run()
        for any_shop in (shop, clean):
            put_lines(any_shop, now)
        clean.run()
        report = shop.replay(forget_gone=forget)
        records = {name: before.count(False) for name, (before, _) in orders.items()}
        gone = sum(count for name, count in records.items() if now[name] is None)
        there = {name for name, count in records.items() if count and now[name] is not None}
        assert (report.found, report.ok) == (sum(records.values()), True)
        assert report.records["gone"] == (0 if forget else gone)
        expected = {key: code for key, code in clean.bad().items() if key[0] in there}
        assert {key: code for key, code in shop.bad().items() if now[key[0]] is not None} == expected
        good = {f"{name}{n}" for name in there for n, is_good in enumerate(now[name] or ()) if is_good}
        assert good <= {id for id, _ in shop.rows()}


def test_a_removal_that_fails_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are written, the record stays, and the command fails so that somebody looks."""
    mend(shop, "cut")
    file, engine = shop.records()["cut"], shop.engine()
    denied = [GiveUp("denied", help="allow it")]
    monkeypatch.setattr(engine.services.objects, "remove", lambda items: denied * len(items))
    report = replay(engine, Choice())
    assert (fates(report), report.ok) == ({"bad": 2, "failed": 1}, False)
    assert shop.rows() == [("cut", 2), ("good", 1)]
    assert file.exists()
    assert [(p.code, p.file) for p in report.run.problems if p.level == "error"] == [("give-up", str(file))]


def test_progress_counts_objects_batch_by_batch(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plait.engine.replay, "BATCH_SIZE", 2)
    seen: list[int] = []
    shop.replay(progress=seen.append)
    assert seen == [2, 1]
