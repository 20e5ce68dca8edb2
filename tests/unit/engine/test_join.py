"""Joins keep their rules to the ends, and say why a row is bad.

What each rule makes of rows is in `tests/data/cases/joins*.test.yaml`; `tests/laws/test_join_laws.py` has any rows.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from msgspec.structs import replace

from kit import fakes
from kit.fakes import FixedLookup, column
from plait.engine import join as joins
from plait.engine.join import Joined, join
from plait.engine.lookup import look_up
from plait.engine.rows import Rows
from plait.language.spec import Join, Source
from plait.plugin import BadRecord, Record
from plait.values.types import parse

ON = (("k", "k"),)


def source(rule: Join, **more: Any) -> Source:
    """A source `s` of a column `v`, joined by the rule."""
    return fakes.source(column("v", "bigint"), join=rule, **more)


def record(k: Any, v: Any) -> Record:
    """A record of a key."""
    return Record(fields={"k": k, "v": v})


def joined(
    keys: list[str], records: list[Record], rule: Source, numbers: list[int] | None = None, **more: Any
) -> Joined:
    """Join rows of these keys, which belong to these driving records; `more` is what else is known of the answers."""
    table = pa.table({"k": keys})
    answers, _ = look_up(rule, FixedLookup(records), table, {"k": parse("string")})
    return join(Rows(table, numbers or [*range(len(keys))]), replace(answers, **more), rule)


def facts_of(error: BadRecord | None) -> tuple[str, str, str | None, str | None]:
    """What a bad record says."""
    assert error is not None
    return error.message, error.code, error.help, error.source


def test_each_distinct_key_is_asked_once_in_chunks() -> None:
    """Keys are distinct, without null, and at most as many at once as the connector takes."""
    lookup, table = FixedLookup(keys_per_call=2), pa.table({"k": ["a", "b", "a", None, "c"]})
    look_up(source(Join(on=ON)), lookup, table, {"k": parse("string")})
    assert lookup.asked == [2, 1]


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
    numbers = [0] * len(keys) + [1]
    result = joined([*keys, "b"], records, source(Join(on=ON, shape="rows")), numbers)
    assert result.rows.record_numbers == ([0] * 4 + [1] if fits else [1])
    assert result.rows.table["v"].to_pylist()[-1] == 7
    why = "`s` would make more than 4 rows of one record"
    assert fits or facts_of(result.bad[0]) == (why, "too-many-rows", "take the matches by `as: list`", "s")
    assert [*result.bad] == ([] if fits else [0])


@pytest.mark.parametrize("rule", [Join(on=ON, shape="list"), Join(on=ON, duplicates="first")])
def test_matches_that_make_no_rows_may_be_many(rule: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joins, "MOST_ROWS", 4)
    assert joined(["a"], [record("a", n) for n in range(9)], source(rule)).bad == {}


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


@pytest.mark.parametrize("missing", ["keep", "retry"])
def test_a_required_column_without_a_match_is_told_by_its_name(missing: Any) -> None:
    """At once, or once the wait is over."""
    required = fakes.source(column("v", "bigint", required=True), join=Join(on=ON, missing=missing))
    result = joined(["x", "b"], [record("b", 3)], required)
    [error] = (result.retry if missing == "retry" else result.bad).values()
    assert facts_of(error) == ("`s` has no match for `x`", "no-match", "column `v` is required", "s")


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
        values = (
            table["v"].to_pylist() if shape == "rows" else [match["v"] for match in table["s"][0].as_py()]
        )
        assert values == ordered


def test_a_list_of_a_source_that_knows_no_column_and_answered_nothing_is_empty() -> None:
    rule = replace(source(Join(on=ON, shape="list")), columns=None)
    assert joined(["a", "b"], [], rule).rows.table["s"].to_pylist() == [[], []]
