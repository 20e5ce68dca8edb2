"""A column whose type the spec does not declare has that of its objects: what a case does not say of it.

What a run makes of such objects is in `tests/data/cases/undeclared*.test.yaml`, and what is refused offline in
`tests/data/mistakes/undeclared.yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import plait
from kit.locked import lock
from kit.run import put, rows_in
from plait.aws_lambda import handler

SPEC = """\
plait: 1
name: queued
sink: {connector: parquet, path: lake/}
sources:
  orders: {connector: json, path: in/*.json}
"""
NAMES = """\
  names:
    connector: memory
    rows: [{id: a, name: Ana}, {id: b, name: Bo}]
    join: {on: id}
"""
PutObjects = Callable[..., None]


@pytest.fixture
def put_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PutObjects:
    """Put a spec and a few objects into place: `in/0.json`, `in/1.json` and so on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAIT_SPEC", "queued.yaml")
    monkeypatch.setattr("plait.aws_lambda.function._engines", dict[str, Any]())

    def put_them(*objects: str, lookup: str = "") -> None:
        put(Path("queued.yaml"), SPEC + lookup)
        lock(Path("queued.yaml"))
        for number, text in enumerate(objects):
            put(Path(f"in/{number}.json"), text)

    return put_them


@pytest.mark.fault("J9")
def test_a_queue_gets_back_only_the_object_that_has_no_type_even_alone(put_objects: PutObjects) -> None:
    """Each other is a file of its own; the problem names the object and the field, and nothing of its values."""
    put_objects('{"id": "ok1"}', '{"id": {"x": 1}}', '{"id": [1, "secret"]}', '{"id": 4}', '{"id": null}')
    records = [
        {"messageId": str(n), "eventSource": "aws:sqs", "body": json.dumps({"objects": [f"in/{n}.json"]})}
        for n in range(5)
    ]
    assert handler({"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    rows = [{"id": "ok1"}, {"id": {"x": 1}}, {"id": 4}, {"id": None}]
    assert sorted(rows_in(Path("lake")), key=str) == sorted(rows, key=str)
    report = plait.load("queued.yaml").run()
    assert {word: n for word, n in report.objects.items() if n} == {"seen": 5, "done": 4, "failed": 1}
    assert (report.records.written, report.rows) == (4, 4)
    [problem] = report.problems
    assert (problem.code, problem.message) == ("undeclared-type", "the values of `id` are of several types")
    assert str(problem.file).endswith("in/2.json")


@pytest.mark.parametrize(("values", "rounds"), [(["1"], 1), (["1", "2.5"], 1), (["1", '"x"'], 2)])
def test_a_batch_is_looked_up_once_for_each_type_found(
    put_objects: PutObjects, values: list[str], rounds: int
) -> None:
    """However many objects there are, and in what order: each round asks anew for the one key."""
    objects = [f'{{"id": "a", "extra": {value}}}' for value in values * 8]
    put_objects(*objects, lookup=f"{NAMES}    columns: {{name: string}}\n")
    report = plait.load("queued.yaml").run()
    names = report.lookups["names"]
    assert (report.objects["done"], names.keys, names.matched) == (len(objects), rounds, len(objects))
    assert report.rows == len(objects)


def test_answers_that_do_not_fit_together_are_asked_for_once_more(put_objects: PutObjects) -> None:
    """By then they are kept, however small the parts become in which they fit."""
    rows = ", ".join(f"{{id: {n}, name: {n if n % 2 else f'x{n}'}}}" for n in range(8))
    lookup = NAMES.replace("{id: a, name: Ana}, {id: b, name: Bo}", rows)
    put_objects(*(f'{{"id": {n}}}' for n in range(8)), lookup=lookup)
    report = plait.load("queued.yaml").run()
    names = report.lookups["names"]
    assert (report.objects["done"], names.keys, names.cached, names.matched) == (8, 8, 8, 8)


@pytest.mark.fault("J9")
def test_an_answer_that_fails_who_takes_it_is_counted_once(put_objects: PutObjects) -> None:
    """Answers of several types are taken by halves of the batch."""
    lookup = NAMES.replace("name: Bo}", "name: 7}, {id: c, name: {}}")
    put_objects('{"id": "a"}', '{"id": "b"}', '{"id": "c"}', '{"id": "d"}', lookup=lookup)
    names = plait.load("queued.yaml").run().lookups["names"]
    assert (names.keys, names.matched, names.missing) == (4, 2, 1)


@pytest.mark.fault("J9")
def test_a_preview_shows_a_field_of_several_types_as_text(put_objects: PutObjects) -> None:
    put_objects('{"id": "a", "n": 1}', '{"id": {"x": 1}}')
    assert plait.load("queued.yaml").preview().to_pylist() == [
        {"id": "a", "n": 1},
        {"id": '{"x": 1}', "n": None},
    ]
