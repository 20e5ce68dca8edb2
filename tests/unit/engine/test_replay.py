"""Replay runs what is in quarantine as it is now, and removes a record only once its rows are known to be written."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import plait.engine.replay
from kit.run import put
from kit.tables import table
from plait.engine.engine import Engine
from plait.engine.replay import Choice, ReplayReport, replay
from plait.plugin import GiveUp, Item, TryAgain
from unit.engine.replay_shop import BORN, DAY, Shop

REPLAYS = table(Path(__file__).parent / "replays.yaml")


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


@pytest.mark.parametrize("case", REPLAYS, ids=lambda case: case["case"])
@pytest.mark.fault("H21")
def test_a_replay_judges_objects_as_they_are_now(shop: Shop, case: dict[str, Any]) -> None:
    """Each case says which orders are other ones by now, which are chosen, and what becomes of the three bad ones."""
    for name, body in case["put"].items():
        shop.put(name, {"id": name, "total": 2} if body == "mended" else body or "")
        if body is None:
            (shop.root / "raw" / f"{name}.json").unlink()
    options = dict(case.get("options", {}))
    for name in {"since", "until"} & options.keys():
        options[name] = BORN + options[name] * DAY
    report = shop.replay(*options.pop("codes", ()), **options)
    assert (fates(report), report.ok) == (case["fates"], True)
    left, removed = case["fates"].get("left", 0), case["fates"].get("removed", 0)
    assert (report.found, report.run.objects["seen"], len(shop.bad())) == (3, 3 - left, 3 - removed)
    assert case.get("bad") in (None, shop.bad())
    assert case.get("rows") in (None, [[*row] for row in shop.rows()])


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
    """Records of one object that are good, no longer there, bad in another place, or new: as many are bad as there are now."""
    shop = Shop(tmp_path, lines=True)
    shop.put("a", "one,1\ntwo,x\nthree,y\nfour,z")
    shop.put("b", "five,x")
    shop.run()
    assert shop.bad() == dict.fromkeys(["a 1", "a 2", "a 3", "b 0"], "bad-value")
    shop.put("a", "one,x\ntwo,2\nthree,y")
    assert fates(shop.replay()) == {"removed": 1, "bad": 3}
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
