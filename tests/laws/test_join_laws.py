"""A join of all rows at once gives what a loop over all pairs of row and record gives, whatever rule and keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kit import fakes
from kit.documents import examples
from plait.engine.join import Joined, join
from plait.engine.lookup import look_up
from plait.engine.rows import Rows, match_keys
from plait.language.spec import Column, Join, Source, TimeWindow
from plait.plugin import Record
from plait.values.types import arrow_type, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.plugin import Key

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
KEYS: dict[str, list[Any]] = {
    "string": ["a", "A", "a ", "á", "a\u0301", "", "17"],
    "bigint": [0, 1, 17, -1, 2**63 - 1],
    "decimal(5,2)": [Decimal("0.00"), Decimal("17.00"), Decimal("-1.50")],
    "double": [0.0, -0.0, 1.5],
    "boolean": [True, False],
    "timestamp": [NOON, FIRST],
}


def source(rule: Join, order: Any, *, required: bool, default: Any, around: Any) -> Source:
    """A source `s` of a column `v`."""
    v = fakes.column("v", "int", required=required, default=default)
    return fakes.source(v, order=order, join=rule, window=around)


def is_near(moment: Any, time: Any, around: TimeWindow | None) -> bool:
    """Whether a record of a time is within the window of a row, by exact numbers."""
    if around is None:
        return True
    if moment is None or time is None:
        return False
    apart = (time - moment) // timedelta(microseconds=1)
    before, after = (span // timedelta(microseconds=1) for span in (around.before, around.after))
    return bool(-before <= apart <= after)


@dataclass
class Outcome:
    """What a join makes of the rows."""

    rows: list[tuple[int, Any]]
    bad: dict[int, str]
    retry: dict[int, str | None]
    counts: list[int]


def looped(
    keys: list[tuple[Any, ...]], at: list[Any], record: list[int], records: list[Record], s: Source
) -> Outcome:
    """The join, row by row and record by record."""
    rule, (v,) = s.join, s.columns or ()
    assert rule
    outcome = Outcome([], {}, {}, [0, 0, 0])
    by_time = rule.shape == "columns" and rule.duplicates == "latest"
    for number, (key, moment) in enumerate(zip(keys, at, strict=True)):
        matches = [r for r in records if None not in key and tuple(r.fields[f] for _, f in rule.on) == key]
        matches = [r for r in matches if is_near(moment, r.time, s.window)]
        good = [r for r in matches if is_good(r, v)]
        latest = None
        if by_time:
            latest = max(enumerate(good), key=lambda r: (r[1].time, r[0]), default=(0, None))[1]
        bad = [r for r in matches if r not in good and not (latest and r.time < latest.time)]  # type: ignore[operator]
        if bad:
            outcome.bad.setdefault(record[number], "column `v`")
            continue
        asks = None not in key and (s.window is None or moment is not None)
        if stays(outcome, record[number], len(good), asks, rule, v):
            taken, by_value = [latest] if latest else good, s.open_lookup().order == "none"
            outcome.rows += [(number, value) for value in values_of_row(taken, rule, v, by_value=by_value)]
    outcome.rows = [(n, value) for n, value in outcome.rows if record[n] not in outcome.bad]
    return outcome


def stays(outcome: Outcome, number: int, good: int, asks: bool, rule: Join, v: Column) -> bool:
    """Whether a row of so many matches stays; the counts and the reasons are noted."""
    alone = rule.shape == "columns"
    needed = v.required and rule.shape != "list"
    outcome.counts[0 if good else 1] += 1
    outcome.counts[2] += good > 1 and alone
    if good > 1 and alone and rule.duplicates == "fail":
        outcome.bad.setdefault(number, f"has {good} matches")
        return False
    if good or (rule.missing == "keep" and not needed):
        return True
    if rule.missing == "retry" and asks:
        outcome.retry.setdefault(number, "is required" if needed else None)
        return True
    if rule.missing == "fail" or (needed and rule.missing != "drop"):
        outcome.bad.setdefault(number, "has no match")
        return False
    return rule.missing != "drop"


def values_of_row(good: list[Record], rule: Join, v: Column, *, by_value: bool) -> list[Any]:
    """What the row becomes: one row for each element."""
    values = [v.default if r.fields["v"] is None else r.fields["v"] for r in good]
    if by_value and rule.shape != "columns":
        values.sort(key=lambda value: (value is not None, value))
    if rule.shape == "list":
        return [values]
    return (values if rule.shape == "rows" else values[:1]) or [v.default]


def is_good(record: Record, v: Column) -> bool:
    """Whether the record can be typed."""
    value = record.fields["v"]
    return not isinstance(value, str) and not (value is None and v.required and v.default is None)


def joined_outcome(joined: Joined, is_list: bool) -> Outcome:
    """The outcome of the join of the engine."""
    table = joined.rows.table.to_pydict()
    values = [[e["v"] for e in elements] for elements in table["s"]] if is_list else table["v"]
    bad = {n: error.message for n, error in joined.bad.items()}
    retry = {n: error.help if error else None for n, error in joined.retry.items()}
    return Outcome(
        [*zip(table["n"], values, strict=True)],
        bad,
        retry,
        [joined.matched, joined.missing, joined.duplicates],
    )


EVER = timedelta(days=3_660_000)  # longer than from the first to the last datetime
durations = st.sampled_from([timedelta(0), timedelta(minutes=5), timedelta(hours=1), EVER, timedelta.max])
windows = st.one_of(st.none(), st.builds(TimeWindow, column=st.just("at"), before=durations, after=durations))
times = st.sampled_from([None, FIRST, LAST, *(NOON + timedelta(minutes=m) for m in (-61, -60, -5, 0, 5, 6))])
rules = st.builds(
    Join,
    on=st.just((("k0", "f0"), ("k1", "f1"))) | st.just((("k0", "f0"),)),
    shape=st.sampled_from(["columns", "list", "rows"]),
    missing=st.sampled_from(["keep", "drop", "fail", "retry"]),
    duplicates=st.sampled_from(["fail", "first", "latest"]),
)
numbers = st.one_of(st.integers(0, 3), st.none(), st.just("two"))


class ExactLookup(fakes.FixedLookup):
    """A look-up that gives the records of the keys it is asked for, whose calls may be put together."""

    def fetch(self, keys: Sequence[Key]) -> Sequence[Record]:
        """The records that have the fields of a key."""
        asked = [key.fields.items() for key in keys]
        return [r for r in super().fetch(keys) if any(fields <= r.fields.items() for fields in asked)]


lookups = st.sampled_from([fakes.FixedLookup, ExactLookup])


@pytest.mark.fault("L1", "L2", "L3", "L4", "W2")
@given(st.data())
@examples(3, most=2_000)
def test_a_join_is_the_loop_over_all_pairs(data: st.DataObject) -> None:
    """Rows, bad and late records with their reasons, and the counts."""
    words = data.draw(st.tuples(st.sampled_from([*KEYS]), st.sampled_from([*KEYS])))
    rule, around = data.draw(rules), data.draw(windows)
    order = (
        "time" if around or rule.duplicates == "latest" else data.draw(st.sampled_from(["none", "position"]))
    )
    if rule.shape != "columns":
        rule = replace(rule, duplicates="fail")
    s = source(
        rule,
        order,
        required=data.draw(st.booleans()),
        default=data.draw(st.sampled_from([None, 9])),
        around=around,
    )
    values = [st.sampled_from([None, *KEYS[word]]) for word in words]
    rows = data.draw(st.lists(st.tuples(*values, times), max_size=6))
    record = sorted(data.draw(st.lists(st.integers(0, 6), min_size=len(rows), max_size=len(rows))))
    moments = times if order == "none" else times.filter(bool)
    drawn = data.draw(st.lists(st.tuples(*values, numbers, moments), max_size=6))
    records = [Record(fields={"f0": a, "f1": b, "v": v}, time=time) for a, b, v, time in drawn]
    records = sorted(records, key=lambda r: r.time or FIRST) if order == "time" else records
    columns = {f"k{n}": pa.array([row[n] for row in rows], arrow_type(parse(words[n]))) for n in (0, 1)}
    columns |= {
        "n": pa.array(range(len(rows))),
        "at": pa.array([row[2] for row in rows], arrow_type(parse("timestamp"))),
    }
    kinds: Any = {f"k{n}": parse(words[n]) for n in (0, 1)}
    answers, _ = look_up(
        s,
        data.draw(lookups)(records, keys_per_call=data.draw(st.sampled_from([None, 1, 2]))),
        pa.table(columns),
        kinds,
    )
    outcome = joined_outcome(join(Rows(pa.table(columns), record), answers, s), rule.shape == "list")
    expected = looped([row[: len(rule.on)] for row in rows], [row[2] for row in rows], record, records, s)
    assert outcome.rows == expected.rows
    assert outcome.counts == expected.counts
    assert outcome.bad.keys() == expected.bad.keys()
    assert all(text in outcome.bad[n] for n, text in expected.bad.items())
    assert outcome.retry.keys() == expected.retry.keys()
    assert all((text or "") in (outcome.retry[n] or "") for n, text in expected.retry.items())


few = st.lists(st.tuples(*[st.sampled_from([None, 0, 1, 2])] * 3), max_size=8)


@given(few, few)
def test_keys_of_several_columns_are_equal_where_each_part_is(left: list[Any], right: list[Any]) -> None:
    near = [pa.chunked_array([pa.array([key[n] for key in left], pa.int64())]) for n in range(3)]
    far = [pa.array([key[n] for key in right], pa.int64()) for n in range(3)]
    expected = [[n for n, other in enumerate(right) if other == key and None not in key] for key in left]
    assert match_keys(near, far) == expected
