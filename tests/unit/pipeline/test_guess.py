"""Columns are guessed from what records hold: plait's own types, each with its evidence."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from kit.run import put
from kit.tables import table
from plait.pipeline.invalid_spec import InvalidSpec
from plait.pipeline.pipeline import Pipeline
from plait.plugin import GiveUp

CASES = table("guesses.yaml")
ORDERS = {"connector": "json", "path": "in/*.json"}
MEMORY = {"connector": "memory"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(*objects: Any, orders: dict[str, Any] = ORDERS, **more: Any) -> Pipeline:
    """A pipeline over objects of `orders`, whose other blocks and look-ups are `more`."""
    for number, body in enumerate(objects):
        put(Path(f"in/{number}.json"), body)
    blocks = {key: more.pop(key) for key in [*more] if key in ("partition_by", "parameters")}
    sources = {"orders": orders, **more}
    sink = {"connector": "parquet", "path": "out/"}
    document = {"plait": 1, "name": "s", "sources": sources, "sink": sink, **blocks}
    return Pipeline.load("s.yaml", {}, json.dumps(document).encode())


def guessed(pipeline: Pipeline, name: str) -> list[str]:
    """The guessed columns of a source, without their evidence, and the remarks."""
    lines = pipeline.guess(name).splitlines()[3:]
    return [
        line.strip() if line.strip().startswith("#") else line.partition("  #")[0].strip() for line in lines
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_columns_are_those_of_the_table(case: dict[str, Any]) -> None:
    text = f"sources:\n  orders:\n    columns:\n{textwrap.indent(case['columns'], ' ' * 6)}"
    assert loaded(*case["objects"].splitlines()).guess() == text.rstrip()


def test_lookups_are_asked_for_the_rows_each_after_those_whose_columns_it_needs() -> None:
    """A key that is asked by is no column of its own, and a name that another source gives is led by the source's."""
    cities: dict[str, Any] = {
        **MEMORY,
        "rows": [{"nr": 1, "name": "Lugo", "area": 1.5}],
        "join": {"on": {"city": "nr"}},
    }
    people: dict[str, Any] = {**MEMORY, "rows": [{"id": "a", "name": "Ana", "city": 1}], "join": {"on": "id"}}
    pipeline = loaded({"id": "a"}, cities=cities, people=people)
    assert pipeline.guess().splitlines()[1:] == [
        "  orders:",
        "    columns:",
        "      id: string  # 1 of 1",
        "  cities:",
        "    columns:",
        "      cities_name: {type: string, from: name}  # 1 of 1",
        "      area: double                             # 1 of 1",
        "  people:",
        "    columns:",
        "      name: string  # 1 of 1",
        "      city: bigint  # 1 of 1",
    ]
    preview = pipeline.preview_with_report()
    assert preview.to_pylist() == [
        {"id": "a", "cities_name": "Lugo", "area": 1.5, "name": "Ana", "city": 1}
    ], preview.report.problems
    assert preview.guessed == pipeline.guess()


def test_a_field_keeps_the_name_that_the_spec_gives_it() -> None:
    orders = {
        **ORDERS,
        "columns": {"order": {"type": "string", "from": "id"}, "x": {"type": "int", "from": "deep.x"}},
    }
    assert guessed(loaded({"id": 7, "deep": {"x": 1}}, orders=orders), "orders") == [
        "order: {type: bigint, from: id}",
        "deep: struct<x:bigint>",
    ]


def test_matches_in_a_list_may_be_named_as_the_row_is() -> None:
    put(Path("lines/a.csv"), "id,n\na,1\na,2\n")
    lines = {"connector": "csv", "path": "lines/{id}.csv", "join": {"on": "id", "as": "list"}}
    assert guessed(loaded({"id": "a", "n": 1, "lines": 2}, lines=lines), "lines") == ["n: string"]
    assert guessed(loaded({"id": "a", "n": 1, "lines": 2}, lines=lines), "orders") == [
        "id: string",
        "n: bigint",
        "orders_lines: {type: bigint, from: lines}",
    ]


def test_decoded_fields_are_what_their_steps_give() -> None:
    orders = {**ORDERS, "decode": {"payload": ["base64", "json"], "at": [{"epoch": "s"}]}}
    pipeline = loaded({"payload": "eyJhIjogMS41fQ==", "at": 1}, {"payload": "?", "at": 1}, orders=orders)
    assert guessed(pipeline, "orders") == ["payload: struct<a:decimal(18,2)>", "at: timestamp"]


@pytest.mark.parametrize(
    ("lookup", "remark"),
    [
        ({"join": {"on": "gone"}}, "# not asked: no source gives `gone`"),
        ({"join": {"on": {"tags": "x"}}}, "# not asked: `tags` is no single value"),
        ({"join": {"on": {"id": "x"}}}, "# no record came"),
    ],
)
def test_a_lookup_without_an_answer_says_why(lookup: dict[str, Any], remark: str) -> None:
    names: dict[str, Any] = {**MEMORY, "rows": [], **lookup}
    assert loaded({"id": "a", "tags": ["x"]}, names=names).guess().splitlines()[-2:] == [
        "    columns: {}",
        f"      {remark}",
    ]


def test_a_driver_without_a_record_and_an_unknown_source_are_told() -> None:
    put(Path("in/other.txt"), "")
    with pytest.raises(GiveUp, match="`orders` has no object"):
        loaded().guess()
    with pytest.raises(GiveUp, match="no source is called `order`"):
        loaded({"id": 1}).guess("order")
    with pytest.raises(GiveUp, match=r"`in/0\.json`: not a JSON object"):
        loaded([1]).guess()


def test_at_most_five_hundred_records_are_read() -> None:
    orders = {**MEMORY, "rows": [{"n": number} for number in range(600)]}
    assert loaded(orders=orders).guess().endswith("n: bigint  # 500 of 500")


def test_without_columns_nothing_is_planned_run_or_replayed_but_listed_and_previewed() -> None:
    """Partitions wait for columns too."""
    pipeline = loaded({"id": "a"}, partition_by={"day": "date(at)"})
    for call in (pipeline.plan, pipeline.run, pipeline.replay):
        with pytest.raises(InvalidSpec, match="missing-columns"):
            call()
    assert [item.uri for item in pipeline.list()] == ["in/0.json"]
    with pytest.warns(UserWarning, match="types are guessed; declare what fits:\nsources:\n  orders:"):
        assert pipeline.preview().to_pylist() == [{"id": "a"}]
