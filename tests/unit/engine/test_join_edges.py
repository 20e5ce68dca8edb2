"""The ends of a join's rules: the most rows of a record, the newest of good and bad matches, what it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from plait.engine import join as joins
from plait.engine.join import Joined, Rows, join
from plait.engine.lookup import look_up
from plait.language.spec import Column, Join
from plait.plugin import BadRecord, Record
from plait.values.types import parse
from unit.engine.test_join import NOON, ON, Fixed, joined, record, source

LATEST = source(Join(on=ON, duplicates="latest"), order="time")


def of_records(numbers: list[int], keys: list[str], found: list[Record], rule: Any, **more: Any) -> Joined:
    """Join rows that belong to these records; `more` is what else is known of the answers."""
    table = pa.table({"k": keys})
    answers, _ = look_up(rule, Fixed(found), table, {"k": parse("string")})
    return join(Rows(table, numbers), replace(answers, **more), rule)


def spoilt(minutes: int, position: str) -> Record:
    """A record of key `a` whose value is no number."""
    return Record(fields={"k": "a", "v": "two"}, time=NOON + timedelta(minutes=minutes), position=position)


def told(error: BadRecord | None) -> tuple[str, str, str | None, str | None]:
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
    found = [*(record("a", n) for n in range(matches)), record("b", 7)]
    result = of_records([0] * len(keys) + [1], [*keys, "b"], found, source(Join(on=ON, shape="rows")))
    assert result.rows.record == ([0] * 4 + [1] if fits else [1])
    assert result.rows.table["v"].to_pylist()[-1] == 7
    why = "`s` would make more than 4 rows of one record"
    assert fits or told(result.bad[0]) == (why, "too-many-rows", "take the matches by `as: list`", "s")
    assert [*result.bad] == ([] if fits else [0])


@pytest.mark.parametrize("rule", [Join(on=ON, shape="list"), Join(on=ON, duplicates="first")])
def test_matches_that_make_no_rows_may_be_many(rule: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "MOST_ROWS", 4)
    assert joined(["a"], [record("a", n) for n in range(9)], source(rule)).bad == {}


def test_rows_are_inexact_that_miss_a_match_which_the_source_knows_in_another_spelling() -> None:
    twins = {("A",), ("b",)}
    rule = source(Join(on=ON))
    result = of_records([0, 1, 2, 3], ["A", "b", "x", "A"], [record("b", 1)], rule, twins=twins)
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
    found = [spoilt(m, f"line {n}") for n, m in enumerate(minutes)]
    found = sorted([*found, record("a", 1)], key=lambda one: str(one.time))
    result = joined(["a", "b"], [*found, record("b", 2)], LATEST)
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
    found = [Record(fields={"k": "a", "l": 1, "v": v}) for v in (1, 2)]
    table = pa.table({"k": ["a", "x"], "l": pa.array([1, 2], pa.int64())})
    answers, _ = look_up(pair, Fixed(found), table, {"k": parse("string"), "l": parse("bigint")})
    bad = join(Rows(table, [0, 1]), answers, pair).bad
    choose = "choose by `duplicates`, or take all by `as: list` or `as: rows`"
    assert told(bad[0]) == ("`s` has 2 matches for `a`, `1`", "several-matches", choose, "s")
    keep = "`missing: keep` lets such rows through"
    assert told(bad[1]) == ("`s` has no match for `x`, `2`", "no-match", keep, "s")
    assert bad[0].bare == "`s` has 2 matches for the row's key"
    assert bad[1].bare == "`s` has no match for the row's key"


def test_a_required_column_without_a_match_is_told_by_its_name() -> None:
    rule = source(Join(on=ON))
    required = replace(rule, columns=(replace((rule.columns or ())[0], required=True),))
    [bad] = joined(["x"], [], required).bad.values()
    assert told(bad) == ("`s` has no match for `x`", "no-match", "column `v` is required", "s")


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
    column = Column(name="v", type=parse(kind), origin="v", selector=("v",))
    for shape in ("list", "rows"):
        rule = replace(source(Join(on=ON, shape=shape), order="none"), columns=(column,))
        table = joined(["a"], [record("a", value) for value in values], rule).rows.table
        got = table["v"].to_pylist() if shape == "rows" else [one["v"] for one in table["s"][0].as_py()]
        assert got == ordered


def test_a_list_of_a_source_that_knows_no_column_and_answered_nothing_is_empty() -> None:
    rule = replace(source(Join(on=ON, shape="list")), columns=None)
    assert joined(["a", "b"], [], rule).rows.table["s"].to_pylist() == [[], []]
