"""Replay runs what is in quarantine as it is now, and removes a record only once its rows are known to be written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plait.engine.replay
from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.replay import Choice, ReplayReport, replay
from plait.language.spec import Spec
from plait.plugin import GiveUp, Item, ReadFailure, Record, StoredObject, TryAgain, Window

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


@dataclass(frozen=True)
class Lines:
    """A driver of a test's own: each line of an object is a record."""

    options: Any
    context: Any

    def accepts(self, uri: str) -> bool:
        return bool(self.options.path.match(uri) is not None)

    def list(self, _window: Window) -> Any:
        return self.context.objects.list(self.options.path.literal)

    def read(self, items: Sequence[Item]) -> Any:
        answers = self.context.objects.get([item.uri for item in items])
        for item, answer in zip(items, answers, strict=True):
            if not isinstance(answer, StoredObject):
                yield ReadFailure(item, answer)
                continue
            for n, line in enumerate(answer.data.splitlines()):
                id, total = line.decode().split(",")
                fields = {"id": id, "total": total}
                yield Record(fields=fields, item=answer.item, position=f"line {n}", raw=line)


@dataclass
class Sink:
    """The sink of parquet, with something that happens first."""

    first: Callable[[], None] = field(default=lambda: None)
    answer: Any = None

    def made(self, open_sink: Any) -> Any:
        def opened(options: Any, context: Any) -> Any:
            real = open_sink(options, context)

            class Wrapped:
                def write(_self, files: Any) -> Any:  # noqa: N805 - `self` is the sink's
                    self.first()
                    return real.write(files) if self.answer is None else [self.answer] * len(files)

            return Wrapped()

        return opened


@dataclass
class Shop:
    """Orders in a folder and what became of them."""

    root: Path
    sink: Sink = field(default_factory=Sink)
    lines: bool = False
    now: datetime = BORN + DAY

    def put(self, name: str, body: Any, born: datetime = BORN) -> str:
        """Put an order: its JSON, or a text as it is; its URI."""
        file = self.root / "raw" / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
        os.utime(file, (born.timestamp(), born.timestamp()))
        return str(file)

    def items(self, id: str, count: str) -> None:
        """Put the items of an order."""
        (self.root / "items").mkdir(exist_ok=True)
        (self.root / "items" / f"{id}.csv").write_text(f"count\n{count}\n")

    def spec(self) -> Spec:
        """The valid spec."""
        spec = valid(SPEC, ROOT=self.root)
        sink = spec.sink.connector
        spec = replace(spec, sink=replace(spec.sink, connector=replace(sink, sink=self.sink.made(sink.sink))))
        if self.lines:
            driver = replace(spec.driver.connector, driver=Lines)
            spec = replace(spec, driver=replace(spec.driver, connector=driver))
        return spec

    def engine(self) -> Engine:
        """An engine of a process of its own."""
        return Engine(self.spec(), Services(now=lambda: self.now))

    def run(self) -> None:
        """Run over all orders."""
        engine = self.engine()
        engine.run(engine.find())

    def replay(self, *codes: str, **options: Any) -> ReplayReport:
        """Replay; the numbers add up, or it raises."""
        window = Window(since=options.pop("since", None), until=options.pop("until", None))
        return replay(self.engine(), Choice(codes=codes, window=window), **options)

    def bad(self) -> dict[str, str]:
        """The codes in quarantine by the name of the order, and by the line where there are several."""
        documents = [json.loads(file.read_text()) for file in (self.root / "bad").rglob("*.json")]
        return {
            Path(document["object"]).stem + document["position"].removeprefix("line"): document["code"]
            for document in documents
        }

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows of the lake."""
        files = (self.root / "lake").rglob("*.parquet")
        return sorted((r["id"], r["total"]) for file in files for r in pq.read_table(file).to_pylist())

    def everything(self) -> dict[str, tuple[bytes, int]]:
        """All files with their times."""
        files = [file for file in self.root.rglob("*") if file.is_file()]
        return {str(file): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


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


@pytest.mark.fault("H21")
def test_what_is_mended_becomes_a_row_and_what_is_not_stays_with_the_reason_of_now(shop: Shop) -> None:
    """An order that is bad in another way keeps its record, which tells the new reason."""
    shop.put("cut", {"id": "cut", "total": 2})
    shop.put("word", '{"id": "wo')
    report = shop.replay()
    assert report.found == 3
    assert fates(report) == {"removed": 1, "bad": 2}
    assert report.ok
    assert shop.bad() == {"word": "bad-record", "anonymous": "required-null"}
    assert shop.rows() == [("cut", 2), ("good", 1)]
    assert report.run.objects["seen"] == 3


def test_the_object_decides_and_not_the_copy_in_quarantine(shop: Shop) -> None:
    """A record whose raw copy was edited is still judged by its object."""
    [file] = [f for f in (shop.root / "bad").glob("*") if "cu" in json.loads(f.read_text())["raw"]]
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "raw": '{"id": "cut", "total": 2}'}))
    assert fates(shop.replay()) == {"bad": 3}


def test_a_second_replay_finds_what_the_first_left(shop: Shop) -> None:
    shop.put("cut", {"id": "cut", "total": 2})
    shop.replay()
    rows = shop.rows()
    assert fates(shop.replay()) == {"bad": 2}
    assert shop.rows() == rows


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
    records = {file: file.read_bytes() for file in (shop.root / "bad").glob("*")}
    spec = valid(SPEC.replace("raw/*.json", "raw/c*.json"), ROOT=shop.root)
    report = replay(Engine(spec, Services(now=lambda: shop.now)), Choice())
    assert fates(report) == {"bad": 1, "skipped": 2}
    assert {*records} == {*(shop.root / "bad").glob("*")}


@pytest.mark.parametrize("forget", [False, True])
def test_files_of_others_stay_with_a_warning(shop: Shop, forget: bool) -> None:
    """Of another pipeline, renamed, of a later format, no JSON, in a folder below: nothing of it is touched."""
    bad = shop.root / "bad"
    file = next(f for f in bad.glob("*") if json.loads(f.read_text())["code"] == "required-null")
    document = json.loads(file.read_text())
    others = {
        "0" * 32 + ".json": json.dumps(document),
        "1" * 32 + ".json": "no JSON",
        "notes.txt": "mine",
        "below/" + file.name: json.dumps(document),
        file.name: json.dumps({**document, "pipeline": "others"}),
    }
    (bad / "below").mkdir()
    for name, text in others.items():
        (bad / name).write_text(text)
    shop.put("anonymous", {"id": "a", "total": 4})
    report = shop.replay(forget_gone=forget)
    assert (report.found, fates(report), report.foreign) == (2, {"bad": 2}, 5)
    assert {name: (bad / name).read_text() for name in others} == others
    assert [p.level for p in report.run.problems if p.code == "foreign-file"] == ["warning"] * 5
    assert report.ok


def test_a_record_of_a_format_that_is_not_known_stays(shop: Shop) -> None:
    for file in (shop.root / "bad").glob("*"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "format_version": 2}))
    report = shop.replay()
    assert (report.found, report.foreign, report.run.objects["seen"]) == (0, 3, 0)


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
    for name in ("cut", "word", "anonymous"):
        shop.put(name, {"id": name, "total": 2})
    report = shop.replay(*codes, **options)
    assert fates(report) == expected
    assert report.run.objects["seen"] == 3 - expected["left"]
    assert len(shop.bad()) == expected["left"]


def test_a_dry_run_tells_the_same_and_changes_nothing(shop: Shop) -> None:
    """Not a byte and not a time of any file, and afterwards it happens as it was told."""
    shop.put("cut", {"id": "cut", "total": 2})
    before = shop.everything()
    report = shop.replay(dry_run=True)
    assert shop.everything() == before
    done = shop.replay()
    assert fates(report) == fates(done) == {"removed": 1, "bad": 2}
    assert report.as_json()["records"] == done.as_json()["records"]


@pytest.mark.parametrize("answer", [TryAgain("no answer came"), GiveUp("denied")])
def test_where_the_rows_are_not_known_to_be_written_nothing_is_removed(shop: Shop, answer: Any) -> None:
    """A put without an answer may have happened or not, so the record stays, and the next replay removes it."""
    for name in ("cut", "word", "anonymous"):
        shop.put(name, {"id": name, "total": 2})
    records = shop.bad()
    shop.sink.answer = answer
    report = shop.replay()
    assert fates(report) == {"retry" if isinstance(answer, TryAgain) else "failed": 3}
    assert not report.ok
    assert shop.bad() == records
    shop.sink.answer = None
    assert fates(shop.replay()) == {"removed": 3}


def test_a_replay_that_is_cut_off_removes_nothing_of_what_is_underway(shop: Shop) -> None:
    shop.put("cut", {"id": "cut", "total": 2})
    before = shop.bad()

    def stop() -> None:
        raise KeyboardInterrupt

    shop.sink.first = stop
    with pytest.raises(KeyboardInterrupt):
        shop.replay()
    assert shop.bad() == before


def test_a_record_that_another_run_sets_aside_meanwhile_stays(shop: Shop) -> None:
    """Between reading the record and removing it a newer, bad version of the object arrived and was set aside."""
    shop.put("cut", {"id": "cut", "total": 2})
    once = [1]

    def meanwhile() -> None:
        if once.pop(0) if once else 0:
            shop.put("cut", '{"id": "cut", "to')
            other = Shop(shop.root)
            engine = other.engine()
            engine.run([Item(uri=str(shop.root / "raw" / "cut.json"))])

    shop.sink.first = meanwhile
    report = shop.replay()
    assert fates(report) == {"bad": 3}
    assert shop.bad()["cut"] == "bad-record"


def test_an_object_that_waits_keeps_its_record(shop: Shop) -> None:
    """It is mended and young, and a look-up has no match yet: it must come again, with exit code 1."""
    shop.put("cut", {"id": "cut", "total": 2}, shop.now)
    report = shop.replay()
    assert fates(report) == {"retry": 1, "bad": 2}
    assert not report.ok
    shop.items("cut", "3")
    assert fates(shop.replay()) == {"removed": 1, "bad": 2}


def test_the_fault_of_a_lookup_is_mended_in_the_lookup(tmp_path: Path) -> None:
    """The object stays as it is, and its record goes once the file of items is right."""
    shop = Shop(tmp_path)
    shop.put("a", {"id": "a", "total": 1})
    shop.items("a", "many")
    shop.run()
    assert shop.bad() == {"a": "bad-value"}
    shop.items("a", "3")
    assert fates(shop.replay("bad-value")) == {"removed": 1}
    assert (shop.bad(), shop.rows()) == ({}, [("a", 1)])


def test_all_records_of_a_chosen_object_are_run_together(tmp_path: Path) -> None:
    """Records of one object that are good, no longer there, bad in another place, or new, each as it is now."""
    shop = Shop(tmp_path, lines=True)
    shop.put("a", "one,1\ntwo,x\nthree,y\nfour,z")
    shop.put("b", "five,x")
    shop.run()
    assert shop.bad() == {"a 1": "bad-value", "a 2": "bad-value", "a 3": "bad-value", "b 0": "bad-value"}
    shop.put("a", "one,x\ntwo,2\nthree,y")
    report = shop.replay()
    assert fates(report) == {"removed": 2, "bad": 2}
    assert shop.bad() == {"a 0": "bad-value", "a 2": "bad-value", "b 0": "bad-value"}
    assert shop.rows() == [("two", 2)]


states = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(
        st.lists(st.booleans(), min_size=1, max_size=3),
        st.one_of(st.none(), st.lists(st.booleans(), max_size=3)),
    ),
    min_size=1,
)


@pytest.mark.fault("H21")
@pytest.mark.fault("H3")
@given(states, st.integers(1, 4), st.booleans())
def test_replay_leaves_the_quarantine_of_a_run_over_the_objects_of_now(
    orders: dict[str, tuple[list[bool], list[bool] | None]], size: int, forget: bool
) -> None:
    """For any objects, each with good and bad records before and after or gone, and batches of any size."""

    def text(name: str, records: list[bool]) -> str:
        return "\n".join(f"{name}{n},{n if good else 'x'}" for n, good in enumerate(records))

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(plait.engine.replay, "BATCH_SIZE", size)
        shop, clean = Shop(Path(folder) / "one", lines=True), Shop(Path(folder) / "two", lines=True)
        shop.root.mkdir()
        clean.root.mkdir()
        for name, (before, _) in orders.items():
            shop.put(name, text(name, before))
        shop.run()
        records = {name: sum(not good for good in before) for name, (before, _) in orders.items()}
        for name, (_, after) in orders.items():
            if after is None:
                (shop.root / "raw" / f"{name}.json").unlink()
            else:
                shop.put(name, text(name, after))
                clean.put(name, text(name, after))
        (clean.root / "raw").mkdir(exist_ok=True)
        clean.run()
        report = shop.replay(forget_gone=forget)
        touched = {name for name in orders if records[name]}
        gone = sum(records[name] for name in touched if orders[name][1] is None)
        assert report.found == sum(records.values())
        assert report.records["gone"] == (0 if forget else gone)
        there = {name for name in touched if orders[name][1] is not None}
        expected = {key: code for key, code in clean.bad().items() if key[0] in there}
        staying = {key: code for key, code in shop.bad().items() if orders[key[0]][1] is not None}
        assert staying == expected
        good = {f"{name}{n}" for name in there for n, ok in enumerate(orders[name][1] or ()) if ok}
        assert good <= {id for id, _ in shop.rows()}
        assert report.ok


def test_a_removal_that_fails_is_told(shop: Shop) -> None:
    """The rows are written, the record stays, and the command fails so that somebody looks."""
    shop.put("cut", {"id": "cut", "total": 2})
    engine = shop.engine()
    [file] = [
        f for f in (shop.root / "bad").glob("*") if json.loads(f.read_text())["object"].endswith("cut.json")
    ]
    real = engine.services.objects

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def remove(self, items: Sequence[Item]) -> list[Any]:
            return [GiveUp("denied", help="allow it") for _ in items]

    engine.services.objects = Refusing()
    report = replay(engine, Choice())
    assert fates(report) == {"bad": 2, "failed": 1}
    assert not report.ok
    assert file.exists()
    assert [(p.code, p.file) for p in report.run.problems if p.level == "error"] == [("give-up", str(file))]


def test_progress_counts_objects_batch_by_batch(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plait.engine.replay, "BATCH_SIZE", 2)
    seen: list[int] = []
    shop.replay(progress=seen.append)
    assert seen == [2, 1]


def test_the_answer_is_one_document(shop: Shop) -> None:
    report = shop.replay(dry_run=True).as_json()
    assert json.loads(json.dumps(report)) == report
    assert report["records"] == {
        "found": 3,
        "removed": 0,
        "bad": 3,
        "gone": 0,
        "skipped": 0,
        "retry": 0,
        "failed": 0,
        "left": 0,
    }
    assert (report["format_version"], report["dry_run"], report["foreign"]) == (1, True, 0)
    assert report["run"]["objects"]["done"] == 3
