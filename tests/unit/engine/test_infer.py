"""A column whose type the spec does not declare: refused offline where the type decides, else told at run time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import plait
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


def told(text: str) -> list[tuple[str, str, str | None]]:
    """Code, underlined text and help of each problem."""
    lines, problems = text.splitlines(), validate(text, "x.yaml").problems
    spans = [problem.span for problem in problems]
    marked = [lines[span.line - 1][span.column - 1 : span.end_column - 1] for span in spans if span]
    return [(one.code, mark, one.help) for one, mark in zip(problems, marked, strict=True)]


@pytest.mark.parametrize(
    ("partition", "kind"),
    [("date(at)", "timestamp"), ("hour(at)", "timestamp"), ('"bucket(8, at)"', "string")],
)
def test_a_partition_function_needs_a_declared_type(partition: str, kind: str) -> None:
    """Else the folders of the lake, or whether there are any, would depend on the records of a day."""
    text = spec(f"partition_by: {{part: {partition}}}\n", '{at: "2026-07-01"}')
    assert told(text) == [("partition-type", "at", f"declare it, as in `at: {kind}`, in `orders`")]


def test_a_window_needs_a_declared_timestamp() -> None:
    text = spec(f"  fraud: {LOGS.replace('WINDOW', WINDOW)}\n", '{id: a1, at: "2026-07-01"}')
    assert told(text) == [("not-a-time", "at", "declare `at: timestamp` in `orders`")]


def test_where_the_fields_are_unknown_the_source_is_not_named() -> None:
    text = spec("partition_by: {day: date(at)}\n").replace("memory, rows: [{id: a1}]", "json, path: a/*.json")
    assert told(text) == [("partition-type", "at", "declare it, as in `at: timestamp`, in its source")]


def test_a_source_with_a_mistake_is_told_alone() -> None:
    """What its columns would have been is not known, so nothing is said of what uses them."""
    text = spec("partition_by: {day: date(at)}\n").replace(
        "memory, rows", "memory, colums: {at: timestamp}, rows"
    )
    assert [code for code, _, _ in told(text)] == ["unknown-key"]


def ran(folder: Path, text: str) -> Any:
    """The report of a run."""
    (folder / "open.yaml").write_text(text.replace("out/", f"{folder}/out/"), encoding="utf-8")
    return plait.load(str(folder / "open.yaml")).run()


@pytest.mark.parametrize("value", ["{a: 1}", "[1]"])
def test_a_key_that_turns_out_to_nest_fails_its_objects_in_words(tmp_path: Path, value: str) -> None:
    more = "  more: {connector: memory, rows: [{id: a1, x: 1}], join: {on: id}}\n"
    report = ran(tmp_path, spec(more, f"{{id: {value}}}"))
    assert report.objects["failed"] == 1
    assert [problem.code for problem in report.problems] == ["nested-key"]


@pytest.mark.parametrize("value", ["{a: 1}", "[1]", "1.5"])
def test_a_partition_that_turns_out_unfit_is_refused_in_words(tmp_path: Path, value: str) -> None:
    report = ran(tmp_path, spec("partition_by: {part: part}\n", f"{{id: a1, part: {value}}}"))
    assert report.objects["failed"] == 1
    (problem,) = report.problems
    assert re.fullmatch(r"`part` turned out to be `.*`, by which files cannot be parted", problem.message)


def test_a_list_of_mappings_without_fields_is_refused(tmp_path: Path) -> None:
    """Parquet has no struct without fields, inside a declared list neither."""
    more = "  lines: {connector: memory, rows: [{id: a1, sku: {}}], join: {on: id, as: list}}\n"
    report = ran(tmp_path, spec(more))
    assert report.objects["failed"] == 1
    assert [p.message for p in report.problems] == [
        "`lines`, row 0: the values of `sku` have mappings without fields"
    ]


def test_a_number_beyond_every_type_is_told_as_such(tmp_path: Path) -> None:
    report = ran(tmp_path, spec(row=f"{{nr: {10**30}}}"))
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
    assert told(text) == [("wrong-default", place, help)]
