"""Joins say for each row what it matches, keep their rules to the ends, and lose no record in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import fakes
from kit.fakes import FixedLookup, column
from plait.engine import join as joins
from plait.engine.join import Joined, Rows, join
from plait.engine.lookup import look_up
from plait.language.spec import Join, Source, TimeWindow
from plait.plugin import BadRecord, Record
from plait.values.types import parse

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def source(rule: Join, **more: Any) -> Source:
    """A source `s` of a column `v`, joined by the rule."""
    return fakes.source(column("v", "bigint"), join=rule, **more)


def joined(keys: list[Any], records: list[Record], rule: Source, word: str = "string") -> Joined:
    """Join rows of these keys to the records."""
    kind = parse(word)
    arrow = {"string": pa.string(), "bigint": pa.int64()}[word]
    columns = {"k": pa.array(keys, type=arrow)}
    if rule.window:
        columns["at"] = pa.array([NOON] * len(keys), type=pa.timestamp("us", tz="UTC"))
    table = pa.table(columns)
    answers, _ = look_up(rule, FixedLookup(records), table, {"k": kind})
    return join(Rows(table, list(range(len(keys)))), answers, rule)


def record(k: Any, v: int, minutes: int = 0) -> Record:
    """A record of a key."""
    return Record(fields={"k": k, "v": v}, time=NOON + timedelta(minutes=minutes))


ON = (("k", "k"),)
keys_strategy = st.lists(
    st.one_of(st.none(), st.sampled_from(["a", "A", "a ", "á", "a\u0301", "b"])), max_size=8
)
records_strategy = st.lists(
    st.tuples(st.sampled_from(["a", "A", "á", "b", None]), st.integers(0, 9)), max_size=8
)


@given(keys_strategy, records_strategy, st.integers(1, 3))
def test_rows_are_those_of_a_nested_loop(keys: list[Any], records: list[Any], chunk: int) -> None:
    """`as: rows` equals the loop over all pairs, with null, case, accents and chunks of any size."""
    rule = source(Join(on=ON, shape="rows"), keys_per_call=chunk)
    result = joined(keys, [record(k, v) for k, v in records], rule)
    expected = []
    for key in keys:
        values = [v for k, v in records if k is not None and k == key]
        expected += [(key, v) for v in values] or [(key, None)]
    table = result.rows.table
    got = list(zip(table["k"].to_pylist(), table["v"].to_pylist(), strict=True))
    assert sorted(map(repr, got)) == sorted(map(repr, expected))


@given(keys_strategy, records_strategy)
def test_a_list_has_all_matches_in_the_sources_order(keys: list[Any], records: list[Any]) -> None:
    """`as: list` gives each row its matches, and the empty list where there is none."""
    result = joined(keys, [record(k, v) for k, v in records], source(Join(on=ON, shape="list")))
    expected = [[{"v": v} for k, v in records if k is not None and k == key] for key in keys]
    assert result.rows.table["s"].to_pylist() == expected


def test_several_matches_are_a_bad_record_unless_the_spec_chooses() -> None:
    """The default of `duplicates` sets the record aside and says which key."""
    result = joined(["a", "b"], [record("a", 1), record("a", 2), record("b", 3)], source(Join(on=ON)))
    assert result.rows.record_numbers == [1]
    assert result.bad[0].code == "several-matches"
    assert "`a`" in result.bad[0].message


def test_the_latest_match_is_that_of_the_greatest_time() -> None:
    """`latest` looks at the time, then at the order of the source."""
    rule = source(Join(on=ON, duplicates="latest"), order="time")
    records = [
        record("a", 1, minutes=5),
        record("a", 2, minutes=9),
        record("a", 3, minutes=9),
        record("a", 4),
    ]
    assert joined(["a"], records, rule).rows.table["v"].to_pylist() == [3]


@pytest.mark.fault("W2")
def test_a_window_bounds_each_row_by_its_own_time() -> None:
    """A record outside of the row's window is no match, whatever was fetched."""
    hour = timedelta(hours=1)
    rule = source(
        Join(on=ON, shape="list"), order="time", window=TimeWindow(column="at", before=hour, after=hour)
    )
    records = [
        record("a", 1, minutes=-61),
        record("a", 2, minutes=-60),
        record("a", 3, minutes=60),
        record("a", 4, 61),
    ]
    assert joined(["a"], records, rule).rows.table["s"].to_pylist() == [[{"v": 2}, {"v": 3}]]


@pytest.mark.fault("L1")
@pytest.mark.parametrize(
    ("missing", "staying", "bad", "retry"),
    [("keep", [0, 1], [], []), ("drop", [1], [], []), ("fail", [1], [0], []), ("retry", [0, 1], [], [0])],
)
def test_no_match_is_what_the_spec_says(missing: Any, staying: Any, bad: Any, retry: Any) -> None:
    """`missing` keeps the row, drops it, sets it aside, or asks again."""
    result = joined(["x", "b"], [record("b", 3)], source(Join(on=ON, missing=missing)))
    assert (result.rows.record_numbers, list(result.bad), list(result.retry)) == (staying, bad, retry)


@pytest.mark.fault("L3")
def test_a_key_is_cast_only_where_nothing_is_lost() -> None:
    """A source's number meets the row's text, but a text that is no such number does not meet a number."""
    rule = source(Join(on=ON, shape="list"))
    assert joined(["17"], [record(17, 1)], rule).rows.table["s"].to_pylist() == [[{"v": 1}]]
    assert joined([17], [record("17abc", 1), record("17", 2)], rule, "bigint").rows.table[
        "s"
    ].to_pylist() == [[{"v": 2}]]


def test_a_bad_record_of_a_lookup_takes_only_its_own_rows_aside() -> None:
    """A value that does not fit its type is blamed on the rows of its key."""
    bad = Record(fields={"k": "a", "v": "two"}, position="line 3")
    result = joined(["a", "b"], [bad, record("b", 3)], source(Join(on=ON)))
    assert result.rows.record_numbers == [1]
    assert "line 3" in result.bad[0].message


def test_each_distinct_key_is_asked_once_in_chunks() -> None:
    """Keys are distinct, without null, and at most as many at once as the connector takes."""
    rule = source(Join(on=ON), keys_per_call=2)
    lookup = FixedLookup([])
    table = pa.table({"k": ["a", "b", "a", None, "c"]})
    look_up(rule, lookup, table, {"k": parse("string")})
    assert lookup.asked == [2, 1]


def test_a_required_column_is_bad_once_the_wait_is_over() -> None:
    """A record that still has no match then is set aside for its required column, never written as null."""
    rule = source(Join(on=ON, missing="retry"))
    required = replace(rule, columns=(replace((rule.columns or ())[0], required=True),))
    result = joined(["x", "b"], [record("b", 3)], required)
    assert [bad and bad.code for bad in result.retry.values()] == ["no-match"]
    assert [bad and bad.code for bad in joined(["x"], [], rule).retry.values()] == [None]


@pytest.mark.parametrize("shape", ["rows", "list"])
@given(st.permutations([record("a", 3), record("a", 1), record("a", 2), record("b", 5)]))
def test_the_order_in_which_a_source_without_order_answers_changes_nothing(
    shape: Any, records: list[Record]
) -> None:
    """A server may give its rows in another order for another batch; the file has the same bytes."""
    rule = source(Join(on=ON, shape=shape), order="none")
    values = joined(["b", "a"], records, rule).rows.table.column("v" if shape == "rows" else "s").to_pylist()
    assert values == ([5, 1, 2, 3] if shape == "rows" else [[{"v": 5}], [{"v": 1}, {"v": 2}, {"v": 3}]])


LATEST = source(Join(on=ON, duplicates="latest"), order="time")


def of_records(numbers: list[int], keys: list[str], records: list[Record], rule: Any, **more: Any) -> Joined:
    """Join rows that belong to these records; `more` is what else is known of the answers."""
    table = pa.table({"k": keys})
    answers, _ = look_up(rule, FixedLookup(records), table, {"k": parse("string")})
    return join(Rows(table, numbers), replace(answers, **more), rule)


def spoilt(minutes: int, position: str) -> Record:
    """A record of key `a` whose value is no number."""
    return Record(fields={"k": "a", "v": "two"}, time=NOON + timedelta(minutes=minutes), position=position)


def facts_of(error: BadRecord | None) -> tuple[str, str, str | None, str | None]:
    """What a bad record says."""
    assert error is not None
    return error.message, error.code, error.help, error.source


@pytest.mark.parametrize(
    ("matches", "keys", "fits"),
    [(3, ["a", "x"], True), (4, ["a", "x"], False), (2, ["a", "a", "x"], False), (3, ["a", "x", "x"], False)],
)
def test_a_record_becomes_no_more_rows_than_fit(
    matches: int, keys: list[str], fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its rows count, those without a match too; its neighbour does not."""
    monkeypatch.setattr(joins, "MOST_ROWS", 4)
    records = [*(record("a", n) for n in range(matches)), record("b", 7)]
    result = of_records([0] * len(keys) + [1], [*keys, "b"], records, source(Join(on=ON, shape="rows")))
    assert result.rows.record_numbers == ([0] * 4 + [1] if fits else [1])
    assert result.rows.table["v"].to_pylist()[-1] == 7
    why = "`s` would make more than 4 rows of one record"
    assert fits or facts_of(result.bad[0]) == (why, "too-many-rows", "take the matches by `as: list`", "s")
    assert [*result.bad] == ([] if fits else [0])


@pytest.mark.parametrize("rule", [Join(on=ON, shape="list"), Join(on=ON, duplicates="first")])
def test_matches_that_make_no_rows_may_be_many(rule: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "MOST_ROWS", 4)
    assert joined(["a"], [record("a", n) for n in range(9)], source(rule)).bad == {}


def test_rows_are_inexact_that_miss_a_match_which_the_source_knows_in_another_spelling() -> None:
    misses = {("A",), ("b",)}
    rule = source(Join(on=ON))
    result = of_records([0, 1, 2, 3], ["A", "b", "x", "A"], [record("b", 1)], rule, near_misses=misses)
    assert (result.matched, result.missing, result.inexact) == (1, 3, 2)


@pytest.mark.parametrize(
    ("minutes", "blamed"),
    [
        ([], None),
        ([-1], None),
        ([0], "line 0"),
        ([1], "line 0"),
        ([-1, 1], "line 1"),
        ([-1, 1, 2, 3], "line 3"),
    ],
)
def test_the_latest_match_wins_over_bad_records_that_are_older(minutes: list[int], blamed: str) -> None:
    """A bad record of the same time or a later one could be what is wanted, so the last of them is told."""
    records = [spoilt(m, f"line {n}") for n, m in enumerate(minutes)]
    records = sorted([*records, record("a", 1)], key=lambda answer: str(answer.time))
    result = joined(["a", "b"], [*records, record("b", 2)], LATEST)
    assert result.rows.table["v"].to_pylist() == ([2] if blamed else [1, 2])
    assert not blamed or result.bad[0].message.startswith(f"`s`, {blamed}: ")
    assert (result.matched, result.missing) == (1 if blamed else 2, 0)


def test_where_all_matches_are_bad_the_last_is_told() -> None:
    result = joined(["a"], [spoilt(n, f"line {n}") for n in (1, 2, 3)], LATEST)
    assert "line 3" in result.bad[0].message
    assert (result.matched, result.missing) == (0, 0)


def test_why_a_row_is_bad_is_told_with_a_way_out() -> None:
    """The whole key is shown, each value by itself."""
    pair = source(Join(on=(("k", "k"), ("l", "l")), missing="fail"))
    records = [Record(fields={"k": "a", "l": 1, "v": v}) for v in (1, 2)]
    table = pa.table({"k": ["a", "x"], "l": pa.array([1, 2], pa.int64())})
    answers, _ = look_up(pair, FixedLookup(records), table, {"k": parse("string"), "l": parse("bigint")})
    bad = join(Rows(table, [0, 1]), answers, pair).bad
    choose = "choose by `duplicates`, or take all by `as: list` or `as: rows`"
    assert facts_of(bad[0]) == ("`s` has 2 matches for `a`, `1`", "several-matches", choose, "s")
    keep = "`missing: keep` lets such rows through"
    assert facts_of(bad[1]) == ("`s` has no match for `x`, `2`", "no-match", keep, "s")
    assert bad[0].bare == "`s` has 2 matches for the row's key"
    assert bad[1].bare == "`s` has no match for the row's key"


def test_a_required_column_without_a_match_is_told_by_its_name() -> None:
    rule = source(Join(on=ON))
    required = replace(rule, columns=(replace((rule.columns or ())[0], required=True),))
    [bad] = joined(["x"], [], required).bad.values()
    assert facts_of(bad) == ("`s` has no match for `x`", "no-match", "column `v` is required", "s")


@pytest.mark.parametrize(
    ("kind", "values", "ordered"),
    [
        ("bigint", [10, None, 9], [None, 9, 10]),
        ("array<bigint>", [[2], None, [1, None], [1]], [None, [1, None], [1], [2]]),
        ("struct<a:string>", [{"a": "b"}, {"a": "a"}, None], [None, {"a": "a"}, {"a": "b"}]),
    ],
)
def test_matches_of_a_source_without_order_are_put_in_order(kind: str, values: Any, ordered: Any) -> None:
    """Null first, numbers as numbers, what nests as it is written."""
    for shape in ("list", "rows"):
        rule = replace(source(Join(on=ON, shape=shape), order="none"), columns=(column("v", kind),))
        table = joined(["a"], [record("a", value) for value in values], rule).rows.table
        got = table["v"].to_pylist() if shape == "rows" else [match["v"] for match in table["s"][0].as_py()]
        assert got == ordered


def test_a_list_of_a_source_that_knows_no_column_and_answered_nothing_is_empty() -> None:
    rule = replace(source(Join(on=ON, shape="list")), columns=None)
    assert joined(["a", "b"], [], rule).rows.table["s"].to_pylist() == [[], []]
