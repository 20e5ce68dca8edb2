"""What is never there is counted and told: columns that no record has, look-ups without a match, patterns without a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from kit import fakes
from kit.documents import examples
from kit.tables import table
from plait.cli.loading import engine_of
from plait.engine.absence import FEWEST
from plait.engine.counts import ColumnCounts, LookupCounts, SourceCounts
from plait.engine.engine import Engine
from plait.engine.read import cast
from plait.language.forms import Selector
from plait.pipeline.pipeline import Pipeline
from plait.plugin import Item, Record

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = ["a", "b", "c"]
values: st.SearchStrategy[Any] = st.sampled_from([None, "x", "y", 5, {}, {"b": None}, {"b": "z"}])
rows = st.lists(st.dictionaries(st.sampled_from(FIELDS), values, max_size=3), min_size=1, max_size=40)
PLACES = {"plain": "a", "nested": "b.b", "filled": "c", "never": "d"}
PEOPLE: list[dict[str, Any]] = [
    {"name": "p1", "n": 1},
    {"name": "P2", "n": None},
    {"name": "p3"},
    {"name": "p3", "n": "two"},
]


def engine(records: list[dict[str, Any]], **people: Any) -> Engine:
    """An engine over these driving records and a look-up in four people."""
    columns: dict[str, Any] = {name: {"from": place, "type": "string"} for name, place in PLACES.items()}
    columns["filled"]["default"] = "none"
    columns["who"] = "string"
    orders = {"connector": "memory", "rows": records, "columns": columns}
    block = {"connector": "memory", "rows": PEOPLE, "columns": {"n": {"type": "int", "default": 0}}}
    block["join"] = {"on": {"who": "name"}, "duplicates": "first"}
    spec = {"plait": 1, "name": "s", "sources": {"orders": orders, "people": {**block, **people}}}
    spec["sink"] = {"connector": "parquet", "path": "out/"}
    return Pipeline.load("s.yaml", {}, json.dumps(spec).encode()).engine()


def previewed(made: Engine, *sizes: int) -> dict[str, Any]:
    """The counts of a report after previews of so many objects each, but for what says how it was done."""
    items = [*made.find()]
    for size in sizes:
        made.preview(items[:size])
        del items[:size]
    report = made.report.as_json()
    return {"sources": report["sources"], "lookups": report["lookups"]}


def messages(made: Engine) -> list[tuple[str, str, str | None]]:
    return [(p.code, p.message, p.help) for p in made.report.problems if p.code != "bad-value"]


@pytest.mark.parametrize(("fields", "place", "nulls", "absent"), table("values/absent.yaml"))
@pytest.mark.parametrize("default", [None, "none"])
@pytest.mark.parametrize("times", [1, 100])
def test_absent_is_told_apart_from_null(
    fields: Any, place: str, nulls: int, absent: int, default: str | None, times: int
) -> None:
    """Whether the records are cast one by one or many at once, and whether the default takes the place of the null."""
    column = fakes.column("v", "string", *Selector.parse(place).steps, default=default)
    counts = cast([Record(fields=fields)] * times, fakes.source(column)).counts
    expected = ColumnCounts(
        nulls=nulls * times, absent=absent * times, defaults=nulls * times if default else 0
    )
    assert counts.columns.get("v", ColumnCounts()) == expected
    assert counts.records == times


@given(rows, st.data())
@examples(0.3)
def test_the_counts_of_columns_are_those_of_plain_counting_however_a_run_is_split(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    def cell(record: dict[str, Any], place: str) -> tuple[int, int]:
        first, *further = place.split(".")
        value: Any = record.get(first)
        is_absent = first not in record
        if further and isinstance(value, dict):
            value, is_absent = value.get(further[0]), further[0] not in value
        return int(value is None), int(is_absent)

    at_once = previewed(engine(records), len(records))
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=len(records), max_size=len(records)))
    assert previewed(engine(records), *sizes)["sources"]["orders"] == at_once["sources"]["orders"]
    counts = at_once["sources"]["orders"]
    assert counts["records"] == len(records)
    for name, place in PLACES.items():
        cells = [cell(record, place) for record in records]
        nulls, absent = (sum(numbers) for numbers in zip(*cells, strict=True))
        defaults = nulls if name == "filled" else 0
        assert counts["columns"][name] == {"nulls": nulls, "absent": absent, "defaults": defaults}


@given(st.lists(st.sampled_from(["p1", "p2", "P2", "p3", "p 1", "q"]), unique=True, min_size=1), st.data())
@examples(0.3)
def test_each_key_that_was_asked_is_matched_or_missed_however_a_run_is_split(
    keys: list[str], data: st.DataObject
) -> None:
    """A key with a record that is bad is matched. Records of keys that nobody asked are not counted."""
    records = [{"who": key} for key in keys]
    at_once = previewed(engine(records), len(records))
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=len(keys), max_size=len(keys)))
    in_parts = previewed(engine(records), *sizes)
    counts = at_once["lookups"]["people"]
    assert in_parts["lookups"]["people"].pop("fetches") >= counts.pop("fetches")
    assert in_parts == at_once
    known = {row["name"] for row in PEOPLE}
    assert counts["keys"] == counts["keys_matched"] + counts["keys_missed"] == len(keys)
    assert counts["keys_matched"] == len(known & {*keys})
    assert counts["keys_inexact"] == len({"p2"} & {*keys})
    asked = [row for row in PEOPLE if row["name"] in keys]
    nulls = sum(row.get("n") is None for row in asked)
    absent = sum("n" not in row for row in asked)
    expected = {"nulls": nulls, "absent": absent, "defaults": nulls}
    assert at_once["sources"]["people"] == {"records": len(asked), "columns": {"n": expected}}


@pytest.mark.parametrize(("records", "is_told"), [(19, False), (20, True)])
def test_that_only_takes_none_of_the_records_is_told_from_twenty_on(
    tmp_path: Path, records: int, is_told: bool
) -> None:
    """A text that is written in another case, a number that is a text: neither is the value that is there."""
    (tmp_path / "a.jsonl").write_text('{"kind": "order", "a": 1}\n' * records)
    orders = {"connector": "json", "path": f"{tmp_path}/*.jsonl", "records": "lines", "columns": {"a": "int"}}
    spec = {
        "plait": 1,
        "name": "s",
        "sources": {"orders": {**orders, "only": {"kind": ["Order"], "a": ["1"]}}},
    }
    spec["sink"] = {"connector": "parquet", "path": f"{tmp_path}/out/"}
    made = Pipeline.load("s.yaml", {}, json.dumps(spec).encode()).engine()
    made.run(made.find())
    told = [message for code, message, _ in messages(made) if code == "nothing-matches"]
    assert told == ["`only` takes none of 20 records of `orders`"] * is_told


def test_what_is_read_again_is_counted_again() -> None:
    """As objects that changed meanwhile, and messages that come twice."""
    records: list[dict[str, Any]] = [{"who": "p3"}, {"who": "q", "a": None}]
    once, twice = engine(records), engine(records)
    previewed(once, 2)
    for _ in range(2):
        previewed(twice, 2)
    for name, counts in once.report.sources.items():
        for column, cells in counts.columns.items():
            both = twice.report.sources[name].columns[column]
            assert asdict(both) == {word: 2 * number for word, number in asdict(cells).items()}
        assert twice.report.sources[name].records == 2 * counts.records
    people, both_people = (made.report.lookups["people"] for made in (once, twice))
    assert (both_people.keys, both_people.keys_missed) == (2 * people.keys, 2 * people.keys_missed) == (4, 2)


numbers = st.integers(0, 1 << 40)
column_counts = st.builds(ColumnCounts, nulls=numbers, absent=numbers, defaults=numbers)
source_counts = st.tuples(numbers, st.dictionaries(st.sampled_from("ab"), column_counts)).map(
    lambda parts: SourceCounts(records=parts[0], columns=parts[1])
)
lookup_counts = st.builds(
    LookupCounts, **{name: numbers for name in LookupCounts.__struct_fields__ if name != "examples"}
)


@given(st.lists(source_counts), st.lists(lookup_counts))
def test_counts_of_workers_add_up_in_any_order(
    sources: list[SourceCounts], lookups: list[LookupCounts]
) -> None:
    """All but the age of the oldest answer, which is the greatest."""
    cases: Any = ((sources, SourceCounts), (lookups, LookupCounts))
    for parts, total in cases:
        forth, back = total(), total()
        for part in parts:
            forth.add(part)
        for part in reversed(parts):
            back.add(part)
        assert forth.as_json() == back.as_json()
    summed = LookupCounts()
    for counts in lookups:
        summed.add(counts)
    for name, value in asdict(summed).items():
        number = max if name == "cached_seconds" else sum
        assert name == "examples" or value == number([getattr(part, name) for part in lookups] or [0])


@pytest.mark.parametrize("number", [FEWEST - 1, FEWEST])
def test_a_column_that_no_record_has_is_told_from_twenty_records_on(number: int) -> None:
    made = engine([{"a": "x", "bb": 1, "c": None, "who": "p1"}] * number)
    previewed(made, number)
    enough = number == FEWEST
    way_out = "take the column out, or say by `from` where its value is"
    assert (
        messages(made)
        == [
            (
                "absent-column",
                "column `nested`: none of 20 records of `orders` has `b.b`",
                "did you mean `bb`?",
            ),
            ("absent-column", "column `never`: none of 20 records of `orders` has `d`", way_out),
        ]
        * enough
    )


def test_a_column_that_one_record_has_as_a_null_is_there() -> None:
    made = engine([{"a": "x", "b": None, "who": "p1"}] + [{"a": "x", "b": None, "d": None}] * 30)
    previewed(made, 31)
    assert [message for _, message, _ in messages(made)] == [
        "column `filled`: none of 31 records of `orders` has `c`"
    ]


FULL = {"a": "x", "b": {"b": "x"}, "c": "x", "d": "x", "who": "p1"}


@pytest.mark.parametrize(
    ("key", "help"),
    [
        ("q{}", "compare the values on both sides of `on: who = name`"),
        (" {}p1", "1 of them are there in another spelling: `plait preview -v` shows some"),
    ],
)
@pytest.mark.parametrize("number", [FEWEST - 1, FEWEST])
def test_a_look_up_that_matches_nothing_is_told_from_twenty_keys_on(key: str, help: str, number: int) -> None:
    keys = [key.format(n or "") for n in range(number)]
    made = engine([{**FULL, "who": who} for who in keys])
    previewed(made, number)
    told = [("nothing-matches", "`people` has none of 20 keys that were asked", help)]
    assert messages(made) == told * (number == FEWEST)


def test_a_look_up_with_one_match_is_not_told() -> None:
    made = engine([{**FULL, "who": f"p{n}"} for n in range(30)])
    previewed(made, 30)
    assert messages(made) == []


def test_what_is_never_there_in_many_small_events_of_a_process_is_told() -> None:
    """As in a function: each invocation has a report of its own, and after twenty records counting begins anew."""
    records = [{k: v for k, v in FULL.items() if k != "d"} for _ in range(49)]
    records[10]["d"] = "there"
    made, told = engine(records), []
    items = [*made.find()]
    for item in items:
        made.new_report()
        made.preview([item])
        told += [(item.uri.rpartition("/")[2], p.code) for p in made.report.problems]
    assert told == [("39", "absent-column")]


def test_no_field_of_a_record_is_suggested_where_nobody_asked_for_it() -> None:
    """The function's log shows no field of a record: those of a mapping may be data."""
    made = engine([{**{k: v for k, v in FULL.items() if k != "a"}, "aa": "x"}] * FEWEST)
    made.nearest = Engine.nearest
    previewed(made, FEWEST)
    (problem,) = made.report.problems
    assert "aa" not in f"{problem.message} {problem.help}"


def test_the_names_of_fields_take_no_more_memory_for_more_records() -> None:
    """Where the fields are data, such as dates, there are other ones in each record."""
    counts = SourceCounts()
    for batch in range(300):
        records = [Record(fields={"v": {f"{batch}-{n}-{m}": m for m in range(200)}}) for n in range(5)]
        counts.add(cast(records, fakes.source(fakes.column("v", "string", "v", "w"))).counts)
    assert counts.columns["v"].absent == counts.records == 1500
    assert len(counts.names["v"]) < 4000


def test_a_run_over_nothing_tells_nothing() -> None:
    made = engine([])
    made.run([Item(uri="memory:orders/7")] * 0)
    assert made.report.problems == []


def test_where_files_are_given_no_service_is_asked_for_what_was_meant(tmp_path: Path) -> None:
    given_files = {f"o{n}.csv": "sku\na\n" for n in range(FEWEST)}
    orders = [{"object": f"{n}.json", "json": {"id": f"o{n}"}} for n in range(FEWEST)]
    (tmp_path / "given.yaml").write_text(
        json.dumps({"given": {"orders": orders, "items": {"files": given_files}}})
    )
    items: dict[str, Any] = {"connector": "csv", "path": "s3://raw/items/{id}.csv", "join": {"on": "id"}}
    items["columns"] = {"sku": "string", "price": "string"}
    driver = {"connector": "json", "path": "s3://raw/orders/*.json", "columns": {"id": "string"}}
    spec = {"plait": 1, "name": "s", "sources": {"orders": driver, "items": items}}
    spec["sink"] = {"connector": "parquet", "path": "out/"}
    pipeline = Pipeline.load("s.yaml", {}, json.dumps(spec).encode())
    made = engine_of(pipeline, str(tmp_path / "given.yaml"))
    pipeline.preview_with_report(None, FEWEST, made)
    assert [code for code, *_ in messages(made)] == ["absent-column"]
    assert made.services.calls == {}
