"""A column whose type the spec does not declare: refused offline where the type decides, else told at run time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import plait
from kit.locked import lock
from plait.aws_lambda import handler
from plait.language.validate import validate

SPEC = """\
plait: 1
name: open
sources:
  orders: {connector: memory, rows: [ROW]}
SOURCES
sink: {connector: parquet, path: out/}
"""
LOGS = "{connector: cloudwatch_logs, log_group: /a, pattern: 'order {id}', join: {on: id}, window: WINDOW}"
WINDOW = "{around: at, before: 1h, after: 1h}"


def spec(sources: str = "", row: str = "{id: a1}") -> str:
    """The text of a spec whose driver declares nothing."""
    return SPEC.replace("SOURCES\n", sources).replace("ROW", row)


def problems_of(text: str) -> list[tuple[str, str, str | None]]:
    """Code, underlined text and help of each problem."""
    lines, problems = text.splitlines(), validate(text, "x.yaml").problems
    spans = [problem.span for problem in problems]
    marked = [lines[span.line - 1][span.column - 1 : span.end_column - 1] for span in spans if span]
    return [(problem.code, mark, problem.help) for problem, mark in zip(problems, marked, strict=True)]


@pytest.mark.parametrize(
    ("partition", "kind"),
    [("date(at)", "timestamp"), ("hour(at)", "timestamp"), ('"bucket(8, at)"', "string")],
)
def test_a_partition_function_needs_a_declared_type(partition: str, kind: str) -> None:
    """Else the folders of the lake, or whether there are any, would depend on the records of a day."""
    text = spec(f"partition_by: {{part: {partition}}}\n", '{at: "2026-07-01"}')
    assert problems_of(text) == [("partition-type", "at", f"declare it, as in `at: {kind}`, in `orders`")]


def test_a_window_needs_a_declared_timestamp() -> None:
    text = spec(f"  fraud: {LOGS.replace('WINDOW', WINDOW)}\n", '{id: a1, at: "2026-07-01"}')
    assert problems_of(text) == [("not-a-time", "at", "declare `at: timestamp` in `orders`")]


def test_where_the_fields_are_unknown_the_source_is_not_named() -> None:
    text = spec("partition_by: {day: date(at)}\n").replace("memory, rows: [{id: a1}]", "json, path: a/*.json")
    assert problems_of(text) == [("partition-type", "at", "declare it, as in `at: timestamp`, in its source")]


def test_a_source_with_a_mistake_is_told_alone() -> None:
    """What its columns would have been is not known, so nothing is said of what uses them."""
    text = spec("partition_by: {day: date(at)}\n").replace(
        "memory, rows", "memory, colums: {at: timestamp}, rows"
    )
    assert [code for code, _, _ in problems_of(text)] == ["unknown-key"]


def report_of(folder: Path, text: str) -> Any:
    """The report of a run."""
    (folder / "open.yaml").write_text(text.replace("out/", f"{folder}/out/"), encoding="utf-8")
    return plait.load(str(folder / "open.yaml")).run()


@pytest.mark.parametrize("value", ["{a: 1}", "[1]"])
def test_a_key_that_turns_out_to_nest_fails_its_objects_in_words(tmp_path: Path, value: str) -> None:
    more = "  more: {connector: memory, rows: [{id: a1, x: 1}], join: {on: id}}\n"
    report = report_of(tmp_path, spec(more, f"{{id: {value}}}"))
    assert report.objects["failed"] == 1
    assert [problem.code for problem in report.problems] == ["nested-key"]


@pytest.mark.parametrize("value", ["{a: 1}", "[1]", "1.5"])
def test_a_partition_that_turns_out_unfit_is_refused_in_words(tmp_path: Path, value: str) -> None:
    report = report_of(tmp_path, spec("partition_by: {part: part}\n", f"{{id: a1, part: {value}}}"))
    assert report.objects["failed"] == 1
    (problem,) = report.problems
    assert re.fullmatch(r"`part` turned out to be `.*`, by which files cannot be parted", problem.message)


def test_a_list_of_mappings_without_fields_is_refused(tmp_path: Path) -> None:
    """Parquet has no struct without fields, inside a declared list neither."""
    more = "  lines: {connector: memory, rows: [{id: a1, sku: {}}], join: {on: id, as: list}}\n"
    report = report_of(tmp_path, spec(more))
    assert report.objects["failed"] == 1
    assert [p.message for p in report.problems] == [
        "`lines`, row 0: the values of `sku` have mappings without fields"
    ]


def test_a_number_beyond_every_type_is_told_as_such(tmp_path: Path) -> None:
    report = report_of(tmp_path, spec(row=f"{{nr: {10**30}}}"))
    assert report.objects["failed"] == 1
    assert [p.message for p in report.problems] == ["the values of `nr` have too many digits"]


@pytest.mark.parametrize(
    ("kind", "default", "place", "help"),
    [
        ("struct<name:string>", "{nam: x}", "nam", "did you mean `name`?"),
        ("array<struct<a:int,b:int>>", "[{a: 1}, {c: 2}]", "c", "one of `a`, `b`"),
    ],
)
def test_a_field_that_a_default_would_lose_is_a_problem(
    kind: str, default: str, place: str, help: str
) -> None:
    text = spec("", "{c: null}, {c: null}").replace(
        "]}", f"], columns: {{c: {{type: '{kind}', default: {default}}}}}}}"
    )
    assert problems_of(text) == [("wrong-default", place, help)]


QUEUED = """\
plait: 1
name: queued
sources:
  orders: {connector: json, path: in/*.json}
SOURCES
sink: {connector: parquet, path: lake/}
"""
Put = Callable[..., dict[str, str]]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a spec and a few objects into place; returns the object of each message of a queue."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAIT_SPEC", "queued.yaml")
    monkeypatch.setattr("plait.aws_lambda.function._engines", dict[str, Any]())

    def place(*objects: str, more: str = "") -> dict[str, str]:
        (tmp_path / "queued.yaml").write_text(QUEUED.replace("SOURCES\n", more))
        lock(tmp_path / "queued.yaml")
        (tmp_path / "in").mkdir()
        for number, text in enumerate(objects):
            (tmp_path / "in" / f"{number}.json").write_text(text)
        return {f"m{number}": f"in/{number}.json" for number in range(len(objects))}

    return place


def delivered(messages: dict[str, str]) -> list[str]:
    """The messages that a queue gets back from one delivery of all."""
    records = [
        {"messageId": name, "eventSource": "aws:sqs", "body": json.dumps({"objects": [uri]})}
        for name, uri in messages.items()
    ]
    return sorted(failure["itemIdentifier"] for failure in handler({"Records": records})["batchItemFailures"])


def rows() -> list[dict[str, Any]]:
    """The rows of all files in the lake, each without the fields that its file does not have."""
    tables = [pq.ParquetFile(path).read() for path in Path("lake").rglob("*.parquet")]
    return sorted((row for table in tables for row in table.to_pylist()), key=str)


def report_of_queued() -> Any:
    """The report of a run over all objects."""
    return plait.load("queued.yaml").run()


@pytest.mark.fault("J9")
def test_objects_of_several_types_are_all_done(put: Put) -> None:
    """Each is a file of its own, and the rows are those that each gives when it is delivered alone."""
    messages = put('{"id": "ok1"}', '{"id": {"x": 1}}', '{"id": "ok3"}', '{"id": 4}', '{"id": null}')
    assert delivered(messages) == []
    assert rows() == [{"id": "ok1"}, {"id": "ok3"}, {"id": 4}, {"id": None}, {"id": {"x": 1}}]
    report = report_of_queued()
    assert (report.objects["done"], report.records.written, report.rows) == (5, 5, 5)


@pytest.mark.fault("J8", "J9")
@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ('{"id": {}}', "have mappings without fields"),
        ('{"id": [{"x": [{}]}]}', "have mappings without fields"),
        ('{"id": [1, "secret"]}', "are of several types"),
        (f'{{"id": {10**30}}}', "have too many digits"),
        ('{"id": 1e400}', "have too many digits"),
    ],
)
def test_only_an_object_that_has_no_type_even_alone_comes_again(put: Put, odd: str, why: str) -> None:
    """Whatever stands beside it; its problem names it and the field, and nothing of its values."""
    messages = put('{"id": {"x": 1}}', odd, '{"id": "ok3"}')
    assert delivered(messages) == ["m1"]
    report = report_of_queued()
    assert {k: n for k, n in report.objects.items() if n} == {"seen": 3, "done": 2, "failed": 1}
    (problem,) = report.problems
    assert problem.file.endswith("in/1.json")
    assert (problem.code, problem.message) == ("undeclared-type", f"the values of `id` {why}")
    assert rows() == [{"id": "ok3"}, {"id": {"x": 1}}]


@pytest.mark.fault("J9")
def test_with_a_quarantine_it_is_put_aside_and_counted(put: Put) -> None:
    put('{"id": "ok1"}', '{"id": {}}', '{"id": 3}', more="quarantine: bad/\n")
    report = report_of_queued()
    assert (report.ok, report.objects["done"]) == (True, 3)
    records = report.records
    assert (records.read, records.written, records.quarantined) == (3, 2, 1)
    assert len([*Path("bad").iterdir()]) == 1


@pytest.mark.fault("J9")
@pytest.mark.parametrize("odd", ["[7]", '{"x": 1}', "1.5"])
def test_a_value_that_parts_no_files_fails_its_object_alone(put: Put, odd: str) -> None:
    objects = ['{"part": 1}', f'{{"part": {odd}}}', '{"part": null}', "{}"]
    messages = put(*objects, more="partition_by: {part: part}\n")
    assert delivered(messages) == ["m1"]
    assert sorted(path.name for path in Path("lake").iterdir()) == [
        "part=1",
        "part=__HIVE_DEFAULT_PARTITION__",
    ]


NAMES = """\
  names:
    connector: memory
    rows: [{id: a, name: Ana}, {id: b, name: Bo}]
    COLUMNS
    join: {on: id}
"""


@pytest.mark.fault("J9")
@pytest.mark.parametrize("columns", ["columns: {name: string}", "cache: 5m"])
def test_a_field_that_another_source_gives_too_fails_its_object_alone(put: Put, columns: str) -> None:
    """Whether or not that source declares its columns."""
    messages = put(
        '{"id": "a"}', '{"id": "a", "name": "x"}', '{"id": "b"}', more=NAMES.replace("COLUMNS", columns)
    )
    assert delivered(messages) == ["m1"]
    report = report_of_queued()
    assert [problem.code for problem in report.problems] == ["duplicate-column"]
    assert [row["name"] for row in rows()] == ["Ana", "Bo"]


@pytest.mark.fault("J9")
def test_a_key_that_nests_fails_its_object_alone(put: Put) -> None:
    more = NAMES.replace("    COLUMNS\n", "")
    messages = put('{"id": "a"}', '{"id": {"x": 1}}', '{"id": null}', "{}", '{"id": "b"}', more=more)
    assert delivered(messages) == ["m1"]
    assert [problem.code for problem in report_of_queued().problems] == ["nested-key"]


@pytest.mark.fault("J9")
def test_what_a_look_up_found_for_one_object_does_not_fail_the_others(put: Put) -> None:
    """Answers of several types are taken by halves of the batch; one without a type fails who takes it."""
    odd = (
        NAMES.replace("name: Bo", "name: 7")
        .replace("    COLUMNS\n", "")
        .replace("7}", "7}, {id: c, name: {}}")
    )
    messages = put('{"id": "a"}', '{"id": "b"}', '{"id": "c"}', '{"id": "d"}', more=odd)
    assert delivered(messages) == ["m2"]
    report = report_of_queued()
    names = report.lookups["names"]
    assert (names.keys, names.matched, names.missing) == (4, 2, 1)
    assert [row.get("name") for row in rows()] == ["Ana", 7, None]


@pytest.mark.parametrize(("values", "rounds"), [(["1"], 1), (["1", "2.5"], 1), (["1", '"x"'], 2)])
def test_a_batch_is_looked_up_once_for_each_type_found(put: Put, values: list[str], rounds: int) -> None:
    """However many objects there are, and in what order: each round asks anew for the one key."""
    objects = [f'{{"id": "a", "extra": {value}}}' for value in values * 8]
    put(*objects, more=NAMES.replace("COLUMNS", "columns: {name: string}"))
    report = report_of_queued()
    assert (report.objects["done"], report.lookups["names"].keys) == (len(objects), rounds)
    assert (report.lookups["names"].matched, report.rows) == (len(objects), len(objects))


def test_answers_that_do_not_fit_together_are_asked_for_once_more(put: Put) -> None:
    """By then they are kept, however small the parts become in which they fit."""
    names = ", ".join(f"{{id: {n}, name: {n if n % 2 else f'x{n}'}}}" for n in range(8))
    more = NAMES.replace("{id: a, name: Ana}, {id: b, name: Bo}", names).replace("    COLUMNS\n", "")
    put(*(f'{{"id": {n}}}' for n in range(8)), more=more)
    report = report_of_queued()
    names = report.lookups["names"]
    assert (report.objects["done"], names.keys, names.cached, names.matched) == (8, 8, 8, 8)


@pytest.mark.fault("J9")
def test_a_field_without_a_name_that_two_sources_give_fails_its_object_alone(put: Put) -> None:
    more = NAMES.replace("    COLUMNS\n", "").replace("name: Bo", "'': Bo")
    messages = put('{"id": "a"}', '{"id": "b", "": 1}', more=more)
    assert delivered(messages) == ["m1"]


@pytest.mark.fault("J9")
def test_a_preview_shows_a_field_of_several_types_as_text(put: Put) -> None:
    put('{"id": "a", "n": 1}', '{"id": {"x": 1}}')
    assert plait.load("queued.yaml").preview().to_pylist() == [
        {"id": "a", "n": 1},
        {"id": '{"x": 1}', "n": None},
    ]
