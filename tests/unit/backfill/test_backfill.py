"""History in batches over folders: one process or two give what one run gives, and go on where they stopped."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from msgspec import structs

import plait
from kit.locked import locked
from kit.run import put
from plait.aws_lambda import handler
from plait.backfill import spark
from plait.backfill.backfill import Backfill, items_of
from plait.backfill.local import BatchSpec, run_batches
from plait.backfill.rounds import BatchOutcome, run_again
from plait.backfill.state import run_batch
from plait.backfill.step_functions import event_of
from plait.engine.context import utc_now
from plait.engine.engine import Engine
from plait.plugin import Connector, GiveUp, Item, Options, Sink, Window, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.plugin import File, Settled

SPEC = """
plait: 1
name: orders
sources:
  orders: {connector: json, path: "in/*.json", columns: {id: string, n: int}}
  items:
    connector: csv
    path: "items/{id}.csv"
    join: {on: id, missing: drop}
    columns: {sku: string}
sink: {connector: parquet, path: out/}
partition_by: {n: n}
quarantine: bad/
"""
WHOLE = Window()


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> plait.Pipeline:
    """Twenty objects: one has no row, one is bad."""
    monkeypatch.chdir(tmp_path)
    for folder in ("in", "items"):
        (tmp_path / folder).mkdir()
    for number in range(20):
        n = "three" if number == 3 else number % 2
        (tmp_path / f"in/{number:02}.json").write_text(json.dumps({"id": f"o{number}", "n": n}))
        (tmp_path / f"items/o{number}.csv").write_text("id,sku\n" + f"o{number},s{number}\n" * (number != 7))
    (tmp_path / "orders.yaml").write_text(SPEC)
    return plait.load("orders.yaml")


def tree(folder: Path) -> dict[str, bytes]:
    """What lies in lake and quarantine."""
    paths = [path for name in ("out", "bad") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def sums(report: plait.Report) -> dict[str, Any]:
    """The numbers of a report that do not depend on how it was cut into batches."""
    numbers = report.as_json()
    for lookup in numbers["lookups"].values():
        del lookup["fetches"]
    for word in ("batches", "seconds", "files", "problems", "calls"):
        del numbers[word]
    return numbers


def in_one_process(backfill: Backfill) -> None:
    assert not [outcome.failure for outcome in backfill.run() if outcome.failure]


def in_two_processes(backfill: Backfill) -> None:
    assert not [outcome.failure for outcome in backfill.run(workers=2) if outcome.failure]


def on_spark(backfill: Backfill) -> None:
    """What driver and executors of Spark run, without Spark between them; `integration/backfill` has that."""
    folder = Path(locked(Path(backfill.spec.file))).parent
    spark._open.cache_clear()

    def run(numbers: Sequence[int], rates: dict[str, float]) -> list[BatchOutcome]:
        return [spark.run_in_process(folder, backfill.state.uri, rates, number) for number in numbers]

    exit_code = spark.drive(None, run, folder, backfill.state.uri, "")
    assert exit_code == int(bool(backfill.state.open_numbers()))


def by_the_function(backfill: Backfill) -> None:
    """What the function makes of the events of a Distributed Map; `integration/backfill` has that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAIT_SPEC", locked(Path(backfill.spec.file)))
        for number in backfill.state.open_numbers():
            handler(event_of(backfill.state, number))


PATHS = {path.__name__: path for path in (in_one_process, in_two_processes, on_spark, by_the_function)}


@pytest.mark.parametrize("path", PATHS)
def test_batches_add_up_to_one_run(path: str, orders: plait.Pipeline, tmp_path: Path) -> None:
    whole, files = orders.run(), tree(tmp_path)
    backfill = Backfill(orders, WHOLE)
    assert backfill.plan(size=6).batches == 4
    PATHS[path](backfill)
    assert sums(backfill.report()) == sums(whole)
    assert tree(tmp_path) == files
    assert not backfill.state.open_numbers()


@pytest.mark.parametrize("path", PATHS)
def test_limits_are_those_of_one_run(path: str, orders: plait.Pipeline, tmp_path: Path) -> None:
    """An object above `max_bytes` is in quarantine by the same file, and told by the same problem."""
    (tmp_path / "in/05.json").write_text(json.dumps({"id": "o5", "n": 1, "more": "x" * 100}))
    limited = SPEC.replace('"in/*.json",', '"in/*.json", max_bytes: 90,')
    (tmp_path / "limited.yaml").write_text(limited)
    pipeline = plait.load("limited.yaml")
    whole, files = pipeline.run(), tree(tmp_path)
    backfill = Backfill(pipeline, WHOLE)
    backfill.plan(size=6)
    PATHS[path](backfill)
    report = backfill.report()
    assert (report.records.quarantined, sums(report)) == (2, sums(whole))
    assert report.problems_by_code == whole.problems_by_code
    assert tree(tmp_path) == files


@pytest.mark.parametrize("path", PATHS)
def test_what_is_left_is_told_and_runs_again_alone(path: str, orders: plait.Pipeline, tmp_path: Path) -> None:
    """A file of items that is a pipe fails its order; once it is mended, its batch alone runs again."""
    (tmp_path / "items/o12.csv").unlink()
    os.mkfifo("items/o12.csv")
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=6)
    PATHS[path](backfill)
    report = backfill.report()
    assert (report.objects["failed"] + report.objects["retry"], report.objects["done"]) == (1, 19)
    assert report.problems[0].message == "1 of 4 batches have objects that are not done: 3"
    (tmp_path / "items/o12.csv").unlink()
    (tmp_path / "items/o12.csv").write_text("id,sku\no12,s12\n")
    assert backfill.state.open_numbers() == [3]
    PATHS[path](backfill)
    assert backfill.report().objects == {
        "seen": 20,
        "done": 20,
        "skipped": 0,
        "gone": 0,
        "retry": 0,
        "failed": 0,
    }


@pytest.mark.parametrize("path", PATHS)
def test_why_an_object_is_left_is_told_however_many_records_are_bad(
    path: str, orders: plait.Pipeline, tmp_path: Path
) -> None:
    for number in range(20, 50):
        (tmp_path / f"in/{number}.json").write_text('{"id": "o", "n": "bad"}')
    os.mkfifo("in/last.json")
    backfill = Backfill(orders, WHOLE)
    backfill.plan()
    PATHS[path](backfill)
    report = backfill.report()
    codes = [problem.code for problem in report.problems]
    assert (codes.count("batches-left"), codes.count("not-a-file"), codes.count("bad-value")) == (1, 1, 19)
    assert report.problems_by_code["bad-value"] == 31


def test_an_event_is_never_larger_than_lambda_takes(orders: plait.Pipeline) -> None:
    """However long the names are, and whatever JSON makes of their letters."""
    names = [
        f"in/{letters}{number:04}.json"
        for letters in ("a" * 900, '"\n' * 100, "é" * 300)
        for number in range(1_000)
    ]
    backfill = Backfill(orders, WHOLE, items_of(names), "long")
    numbers = range(1, backfill.plan().batches + 1)
    events = [event_of(backfill.state, number) for number in numbers]
    assert max(len(json.dumps(event, ensure_ascii=False).encode()) for event in events) <= 256 * 1024
    assert [uri for event in events for uri in event["objects"]] == names


def test_a_batch_has_neighbours_in_time_whatever_they_are_called(orders: plait.Pipeline) -> None:
    """So that a look-up with a window is asked for few stretches of time; what is named again is taken once."""
    times = [datetime(2026, 7, 1, tzinfo=UTC) + timedelta(hours=number * 7 % 20) for number in range(20)]
    named = [Item(uri=f"in/{number:02}.json", modified=time) for number, time in enumerate(times)]
    backfill = Backfill(orders, WHOLE, [*named, named[3]], "scattered")
    assert backfill.plan(5).objects == 20
    assert [item.modified for number in (1, 2, 3, 4) for item in backfill.state.items(number)] == sorted(
        times
    )


class Table(Sink[Options]):
    """A sink whose rows stand once a batch is committed, by object; `commits` has the objects of each commit."""

    rows: ClassVar[dict[str, int]] = {}
    commits: ClassVar[list[list[str]]] = []

    def write(self, files: Sequence[File]) -> list[Written]:
        """Hold the rows back: nothing stands yet."""
        return [Written(uri=file.name, rows=file.table.num_rows, bytes=1) for file in files]

    def commit(self, settled: Sequence[Settled]) -> list[None]:
        """Put the rows of all objects at once, in place of what stood of them."""
        self.commits.append([done.item.uri for done in settled])
        self.rows.update({done.item.uri: sum(file.rows for file in done.files) for done in settled})
        return [None] * len(settled)


def test_a_sink_that_commits_once_a_batch_has_each_object_once(orders: plait.Pipeline) -> None:
    """Also where a process ends between the commit and the marker: its batch is committed again, and no other."""
    connector = Connector("table", "A table.", Options, sink=Table)
    sink = structs.replace(orders.spec.sink, connector=connector, options=Options())
    backfill = Backfill(orders, WHOLE)
    engine, state = Engine(structs.replace(orders.spec, sink=sink)), backfill.state
    backfill.plan(size=6)
    for number in state.open_numbers():
        run_batch(engine, state, number)
    stood = dict(Table.rows)
    (Path(state.uri) / "done/00002.json").unlink()
    for number in state.open_numbers():
        run_batch(engine, state, number)
    assert [len(objects) for objects in Table.commits] == [6, 6, 6, 2, 6]
    assert Table.commits[4] == Table.commits[1]
    assert Table.rows == stood
    assert (len(stood), sum(stood.values()), backfill.report().rows) == (20, 18, 18)


def test_what_one_batch_lacks_is_told_where_all_lack_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of history is from before a column and its files; as one run tells it, so do the batches."""
    monkeypatch.chdir(tmp_path)
    for number in range(60):
        new = {"added": 1} if number >= 30 else {}
        put(tmp_path / f"in/{number:02}.json", {"id": f"o{number}", "n": 1, "Never": 1, **new})
        if new:
            put(tmp_path / f"items/o{number}.csv", f"id,sku\no{number},s\n")
    columns = "{id: string, n: int, added: int, never: int}"
    (tmp_path / "orders.yaml").write_text(SPEC.replace("{id: string, n: int}", columns))
    orders = plait.load("orders.yaml")
    told = [(problem.code, problem.cell, problem.help) for problem in orders.run().problems]
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=30)
    in_one_process(backfill)
    report = backfill.report()
    assert [(problem.code, problem.cell, problem.help) for problem in report.problems] == told
    assert told == [("absent-column", "orders.never", "did you mean `Never`?")]
    assert report.problems_by_code == {"absent-column": 1}


def test_what_each_batch_says_of_the_run_is_said_once(orders: plait.Pipeline, tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text(SPEC.replace("path: out/", "path: out/, conditional: false"))
    backfill = Backfill(plait.load("orders.yaml"), WHOLE)
    backfill.plan(size=6)
    in_one_process(backfill)
    assert backfill.report().problems_by_code == {"unconditional-writes": 1, "bad-value": 1}


def test_a_batch_that_may_end_yet_is_tried_three_times_in_all() -> None:
    rounds = []

    def run(numbers: Sequence[int]) -> list[BatchOutcome]:
        rounds.append([*numbers])
        return [BatchOutcome(number=number, failure="throttled", again=number != 1) for number in numbers]

    assert [outcome.number for outcome in run_again(run, [1, 2, 3])] == [1, 2, 3, 2, 3, 2, 3]
    assert rounds == [[1, 2, 3], [2, 3], [2, 3]]


def test_a_process_that_always_ends_is_started_three_times_for_its_batch(tmp_path: Path) -> None:
    batches = BatchSpec(file="none.yaml", text="", parameters={}, state=str(tmp_path), rates={})
    outcomes = [*run_batches(batches, [7], workers=2)]
    assert [(outcome.number, outcome.failure) for outcome in outcomes] == [(7, "its process ended")] * 3


def test_processes_that_end_at_their_work_or_between_are_replaced(orders: plait.Pipeline) -> None:
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=5)
    outcomes = backfill.run(workers=2)
    assert not next(outcomes).failure
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    assert {outcome.failure for outcome in outcomes} == {"", "its process ended"}
    assert not backfill.state.open_numbers()


def test_the_list_is_taken_once(orders: plait.Pipeline, tmp_path: Path) -> None:
    Backfill(orders, WHOLE).plan(size=6)
    (tmp_path / "in/99.json").write_text('{"id": "o99", "n": 1}')
    backfill = Backfill(orders, WHOLE)
    assert backfill.plan(size=6).objects == 20
    assert backfill.report().problems[0].message == "4 of 4 batches did not end"


def test_of_two_plans_made_at_once_one_holds(orders: plait.Pipeline, tmp_path: Path) -> None:
    first, second = Backfill(orders, WHOLE), Backfill(orders, WHOLE)
    assert second.state.find_plan() is None
    first.plan(size=6)
    (tmp_path / "in/00.json").unlink()
    stands = second.state.make_plan(second.spec, second.items(), 3, {}, utc_now())
    assert (stands.batches, stands.objects) == (4, 20)
    assert sum(len(second.state.items(number)) for number in range(1, stands.batches + 1)) == 20


def test_another_version_does_not_go_on_by_itself(orders: plait.Pipeline) -> None:
    backfill = Backfill(orders, WHOLE)
    backfill.plan()
    file = Path(backfill.state.uri) / "plan.json"
    file.write_text(file.read_text().replace(plait.__version__, "0.0.0"))
    with pytest.raises(GiveUp, match=r"version 0\.0\.0 of plait began this backfill"):
        Backfill(orders, WHOLE).plan()
    assert Backfill(orders, WHOLE).plan(anyway=True).objects == 20


def test_named_objects_have_a_state_of_their_own(orders: plait.Pipeline) -> None:
    named = Backfill(orders, WHOLE, items_of(["in/01.json", "in/./01.json", "in/02.txt"]), "list")
    assert named.plan().objects == 2
    assert named.state.uri != Backfill(orders, WHOLE).state.uri
    in_one_process(named)
    assert (named.report().objects["done"], named.report().objects["skipped"]) == (1, 1)


DAMAGED = {
    "plan.json": (b"", b"{}", b'{"format_version": 2}'),
    "done/00002.json": (b"", b"{}", b"[]", b"null", b'{"objects": {"seen": 5}}'),
    "batches/*/00002.jsonl.gz": (
        b"",
        b"x",
        gzip.compress(b"{}"),
        gzip.compress(b"x"),
        gzip.compress(b"{}" * 99)[:20],
    ),
}


@pytest.mark.parametrize(
    ("name", "data"), [(name, data) for name, texts in DAMAGED.items() for data in texts]
)
def test_what_a_machine_lost_or_wrote_by_half_is_told(orders: plait.Pipeline, name: str, data: bytes) -> None:
    """No object is lost with it: the batch of a damaged list is left."""
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=6)
    in_one_process(backfill)
    (file,) = Path(backfill.state.uri).glob(name)
    file.write_bytes(data)
    backfill = Backfill(orders, WHOLE)
    if name.endswith(".gz"):
        (Path(backfill.state.uri) / "done/00002.json").unlink()
        [outcome] = backfill.run()
        assert outcome.failure == f"unknown-state: `{file}` is not as the plan has it"
        assert backfill.state.open_numbers() == [2]
        return
    with pytest.raises(GiveUp, match=f"{file.name}` is no (plan of a backfill|marker of its batch)"):
        backfill.report()


def test_a_marker_of_another_number_of_objects_is_none(orders: plait.Pipeline) -> None:
    """It is of another plan's batch."""
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=6)
    in_one_process(backfill)
    done = Path(backfill.state.uri) / "done"
    (done / "00004.json").write_bytes((done / "00003.json").read_bytes())
    with pytest.raises(GiveUp, match=r"00004\.json` is no marker of its batch"):
        backfill.report()


def test_a_state_is_found_by_its_folder_or_by_itself(orders: plait.Pipeline) -> None:
    state = Backfill(orders, WHOLE, states="states/").state.uri
    assert Backfill(orders, WHOLE, states=state).state.uri == state


def test_no_new_plan_is_made_beside_markers_of_another(orders: plait.Pipeline) -> None:
    """They would stand for other objects."""
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=6)
    in_one_process(backfill)
    (Path(backfill.state.uri) / "plan.json").unlink()
    with pytest.raises(GiveUp, match=r"plan\.json` is gone, and markers of its batches stand"):
        Backfill(orders, WHOLE).plan()


def test_what_is_left_is_counted_by_its_batches(orders: plait.Pipeline) -> None:
    """Before there is a plan too, and of a list what it names twice once."""
    backfill = Backfill(orders, WHOLE)
    planned = backfill.left(size=6)
    backfill.plan(size=6)
    assert [objects for objects, _ in backfill.left()] == [objects for objects, _ in planned] == [6, 6, 6, 2]
    assert backfill.left() == planned
    run_batch(orders.engine(), backfill.state, 1)
    assert backfill.left() == planned[1:]


def test_a_list_that_names_an_object_again_has_it_once_however_far_apart(
    orders: plait.Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plait.backfill.batches.MOST_SORTED", 2)
    names = ["in/01.json", "in/02.json", "in/\udcff.json", "in/./01.json", "in/03.json", "in/\udcff.json"]
    assert Backfill(orders, WHOLE, items_of(names), "list").left(size=2) == [(2, 0), (2, 0)]


def test_no_window_takes_a_part_of_a_list_without_times(orders: plait.Pipeline) -> None:
    window = Window(since=datetime(2026, 7, 1, tzinfo=UTC))
    with pytest.raises(GiveUp, match=r"does not say when `in/01\.json` was modified"):
        Backfill(orders, window, items_of(["in/01.json"]), "list").plan()


def test_spark_is_told_once_that_its_package_is_of_another_spec(
    orders: plait.Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=6)
    (tmp_path / "other.yaml").write_text(SPEC.replace("name: ", "name: other-", 1))
    other = Path(locked(tmp_path / "other.yaml")).parent
    assert spark.drive(None, lambda *_: pytest.fail("an executor ran"), other, backfill.state.uri, "") == 1
    assert capsys.readouterr().err.count("error[spec-changed]") == 1


@pytest.mark.parametrize(("size", "rate"), [(6, 2.0), (12, 3.0), (24, 6.0)])
def test_a_rate_on_spark_is_shared_by_the_tasks_that_there_are(
    orders: plait.Pipeline, size: int, rate: float
) -> None:
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=size)
    folder, rates = Path(locked(Path(orders.spec.file))).parent, dict[str, float]()
    spark._open.cache_clear()

    def run(_: Sequence[int], divided: dict[str, float]) -> list[BatchOutcome]:
        rates.update(divided)
        return []

    context = SimpleNamespace(master="local[3]", defaultParallelism=3, getConf=dict)
    spark.drive(context, run, folder, backfill.state.uri, "s3=6")
    assert rates == {"s3": rate}


def test_spark_reports_what_is_done_where_it_gives_a_batch_up(
    orders: plait.Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    backfill = Backfill(orders, WHOLE)
    backfill.plan(size=6)
    folder = Path(locked(Path(orders.spec.file))).parent
    spark._open.cache_clear()

    def run(numbers: Sequence[int], rates: dict[str, float]) -> Iterator[BatchOutcome]:
        yield spark.run_in_process(folder, backfill.state.uri, rates, numbers[0])
        raise ChildProcessError

    with pytest.raises(ChildProcessError):
        spark.drive(None, run, folder, backfill.state.uri, "")
    assert json.loads(capsys.readouterr().out)["batches_left"] == 3
