"""A cache answers for as long as the spec says, within bounds, and never changes what a join gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import fakes
from kit.specs import valid
from plait.engine.cache import Cache, weigh
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.join import join
from plait.engine.lookup import look_up
from plait.engine.rows import Rows, merge_spans
from plait.language.spec import Join, TimeWindow
from plait.plugin import Record
from plait.values.types import parse

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def records(*texts: str) -> list[Record]:
    """Records of one text each."""
    return [Record(fields={"v": text}) for text in texts]


def test_an_answer_is_kept_for_its_lifetime_and_no_longer() -> None:
    """At exactly the lifetime it is too old, and it is no longer held."""
    cache = Cache(60)
    cache.put("a", 100, records("x"))
    assert cache.get("a", 159.9) == (100, records("x"), cache.size)
    assert cache.get("a", 160) is None
    assert (len(cache.entries), cache.size) == (0, 0)


def test_no_records_are_an_answer_too() -> None:
    cache = Cache(60)
    cache.put("a", 0, [])
    entry = cache.get("a", 1)
    assert entry is not None
    assert entry.records == []


def test_an_answer_from_the_future_is_not_used() -> None:
    """A clock that was set back cannot make an answer live longer than the spec allows."""
    cache = Cache(60)
    cache.put("a", 1000, records("x"))
    assert cache.get("a", 999) is None


def test_the_oldest_go_beyond_so_many_keys_and_the_renewed_stay() -> None:
    cache = Cache(60, max_keys=2)
    for key in ("a", "b", "a", "c"):
        cache.put(key, 0, records(key))
    assert [*cache.entries] == ["a", "c"]


def test_a_key_of_many_records_counts_by_what_it_holds() -> None:
    """One large answer pushes out the oldest, and one that is too large is not kept at all."""
    large = records(*["x" * 1_000] * 40)
    measured = Cache(60)
    measured.put("a", 0, records("x"))
    small = measured.size
    measured.put("large", 0, large)
    cache = Cache(60, max_bytes=measured.size + small // 2)
    cache.put("a", 0, records("x"))
    cache.put("b", 0, records("x"))
    cache.put("large", 0, large)
    assert [*cache.entries] == ["b", "large"]
    cache.put("too large", 0, [*large, *large])
    assert [*cache.entries] == ["b", "large"]


def test_what_is_too_old_goes_even_if_nobody_asks_for_it() -> None:
    cache = Cache(60)
    for n in range(100):
        cache.put(n, n, records("x"))
    assert [*cache.entries] == list(range(40, 100))


def test_the_weight_of_a_value_counts_what_is_in_it() -> None:
    text = "x" * 1_000
    assert weigh(text) > 1_000
    assert weigh({"a": [text, {"b": (text,)}]}) > 2_000
    assert weigh({text: None}) > 1_000


steps = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 5), st.integers(0, 40), st.booleans()), max_size=40
)


@given(steps, st.integers(1, 4), st.integers(200, 6_000))
def test_a_cache_gives_what_was_put_last_and_keeps_its_bounds(steps: Any, keys: int, size: int) -> None:
    """Or it gives nothing; and its size is that of what it holds."""
    cache, put, now = Cache(30, keys, size), dict[str, tuple[int, list[Record]]](), 0
    for key, wait, length, writes in steps:
        now += wait
        if writes:
            put[key] = now, records(*["x" * 20] * length)
            cache.put(key, now, put[key][1])
        elif entry := cache.get(key, now):
            assert (entry.since, entry.records) == put[key]
            assert now - entry.since < 30
        assert len(cache.entries) <= keys
        assert cache.size == sum(entry.size for entry in cache.entries.values()) <= size


spans_strategy = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair))),
    max_size=6,
)


@given(spans_strategy)
def test_stretches_of_time_are_joined_where_they_meet(spans: list[tuple[int, int]]) -> None:
    """The same minutes are covered, no two stretches share one, and they are in order."""
    merged = merge_spans(spans)
    for minute in range(45):
        assert any(a <= minute <= b for a, b in spans) == (sum(a <= minute <= b for a, b in merged) == 1)
    assert merged == sorted(merged)


rows_strategy = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.one_of(st.none(), st.integers(0, 30))), max_size=6
)
source_strategy = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(-5, 35)), max_size=8)


@pytest.mark.fault("L5")
@given(st.lists(rows_strategy, min_size=1, max_size=4), source_strategy, st.integers(1, 3), st.booleans())
def test_batches_chunks_and_a_cache_give_the_rows_of_a_nested_loop(
    batches: list[Any], in_source: list[tuple[str, int]], chunk: int, cached: bool
) -> None:
    """With windows that overlap or do not, and a source that answers more than was asked."""
    source = fakes.source(
        fakes.column("v", "bigint"),
        order="time",
        join=Join(on=(("k", "k"),), shape="list"),
        window=TimeWindow(column="at", before=3 * MINUTE, after=2 * MINUTE),
    )
    lookup = fakes.FixedLookup(
        [Record(fields={"k": k, "v": n}, time=NOON + m * MINUTE) for n, (k, m) in enumerate(in_source)],
        keys_per_call=chunk,
    )
    cache = Cache(600) if cached else None
    for rows in batches:
        times = [None if m is None else NOON + m * MINUTE for _, m in rows]
        table = pa.table(
            {
                "k": pa.array([k for k, _ in rows], type=pa.string()),
                "at": pa.array(times, type=pa.timestamp("us", tz="UTC")),
            }
        )
        answers, stats = look_up(source, lookup, table, {"k": parse("string")}, cache)
        joined = join(Rows(table, list(range(len(rows)))), answers, source).rows.table["s"].to_pylist()
        expected = [
            [n for n, (k, m) in enumerate(in_source) if k == key and at is not None and at - 3 <= m <= at + 2]
            for key, at in rows
        ]
        assert [sorted(match["v"] for match in cell) for cell in joined] == expected
        assert stats.cached <= stats.keys


SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: memory, rows: [{id: a}, {id: b}], columns: {id: string}}
  people:
    connector: memory
    rows: []
    columns: {name: string}
    join: {on: id, missing: MISSING}
    cache: 5m
sink: {connector: parquet, path: FOLDER/}
"""


def test_the_report_tells_how_old_the_answers_were(tmp_path: Any) -> None:
    """The oldest cached answer that a run used, and zero where it used none; too old an answer is asked anew."""
    spec = valid(SPEC, MISSING="keep", FOLDER=tmp_path)
    [source], lookup, clock = (
        spec.lookups,
        fakes.FixedLookup([Record(fields={"id": "a", "name": "Ada"})]),
        [NOON],
    )
    engine = Engine(spec, Services(now=lambda: clock[-1]))
    engine.lookups.opened[source.name] = lookup
    items, seen = [*engine.find()], []
    for minutes, count in ((0, 1), (1, 2), (4.5, 2), (5, 2), (7, 2)):
        clock.append(NOON + minutes * MINUTE)
        engine.new_report()
        counts = engine.run(items[:count]).lookups["people"]
        seen.append((counts.keys, counts.cached, counts.cached_seconds, sum(lookup.asked)))
    assert seen == [(1, 0, 0, 1), (2, 1, 60, 2), (2, 2, 270, 2), (2, 1, 240, 3), (2, 1, 120, 4)]
    assert engine.report.as_json()["lookups"]["people"]["cached_seconds"] == 120
