"""Matches within a window, and rows taken by position, are the same for few rows and for many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.engine.rows import FEW, take, take_rows, within
from plait.language.spec import TimeWindow

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENT = pa.timestamp("us", tz="UTC")
COLUMNS = {
    "texts": pa.array(["a", None, "", "ñ", "e", "f", "g"]),
    "numbers": pa.array([1, 2, None, 4, 5, 6, 7], pa.int32()),
    "flags": pa.array([True, None, False, True, None, False, True]),
    "money": pa.array([Decimal("1.10"), None, *[Decimal("2.00")] * 5], pa.decimal128(12, 2)),
    "moments": pa.array([datetime(2026, 7, 1, tzinfo=UTC), *[None] * 6], MOMENT),
    "lists": pa.array([[1], [], None, [2, None], [3], [4], [5]], pa.list_(pa.int64())),
    "structs": pa.array([{"a": 1}, None, {"a": None}, *[{"a": 2}] * 4], pa.struct({"a": pa.int8()})),
    "nothing": pa.nulls(7),
    "cut": pa.array(["before", *"abcdefg", "after"]).slice(1, 7),
    "pieces": pa.chunked_array([["a", None], [], ["c", "d", "e"], ["f", "g"]], pa.string()),
}
DEFAULTS = {"texts": "none", "numbers": 0, "flags": False, "money": Decimal("0.00"), "lists": []}
places = st.lists(st.none() | st.integers(0, 6), max_size=FEW + 2)


@pytest.mark.parametrize("many", [1, 100])
@pytest.mark.parametrize(
    ("minutes", "positions"), [([None], []), ([None, -3, -2, 0, 5, 6], [2, 3, 4]), ([7, 8], []), ([], [])]
)
def test_a_match_is_near_from_the_first_to_the_last_moment_of_its_window(
    many: int, minutes: list[int | None], positions: list[int]
) -> None:
    """What has no time is never near, and a row without a time has no match."""
    times = [None if m is None else NOON + m * MINUTE for m in minutes]
    centres = pa.chunked_array([pa.array([NOON] * many + [None], pa.timestamp("us", tz="UTC"))])
    rows = many + 1
    matches = [[*range(len(times))]] * rows
    near = within(matches, centres, times, TimeWindow(column="at", before=2 * MINUTE, after=5 * MINUTE))
    assert near == [positions] * many + [[]]


@pytest.mark.parametrize("name", COLUMNS)
@given(positions=places)
def test_a_few_rows_are_those_that_arrow_takes(name: str, positions: list[int | None]) -> None:
    column = COLUMNS[name]
    array: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    taken = take(column, positions)
    assert isinstance(taken, pa.Array)
    assert taken.equals(array.take(pa.array(positions, pa.int64())))
    taken.validate(full=True)


@pytest.mark.parametrize("name", DEFAULTS)
@given(positions=places)
def test_a_default_stands_for_every_null_taken_or_missing(name: str, positions: list[int | None]) -> None:
    values = COLUMNS[name].to_pylist()
    expected = [DEFAULTS[name] if n is None or values[n] is None else values[n] for n in positions]
    assert take(COLUMNS[name], positions, DEFAULTS[name]).to_pylist() == expected


@given(positions=st.lists(st.integers(0, 6), max_size=FEW + 2))
def test_rows_of_a_table_keep_its_schema(positions: list[int]) -> None:
    schema = pa.schema(
        [pa.field(n, c.type, metadata={"of": n}) for n, c in COLUMNS.items()], metadata={"k": "v"}
    )
    table = pa.table([*COLUMNS.values()], schema=schema)
    taken = take_rows(table, positions)
    assert taken.equals(table.take(pa.array(positions, pa.int64())))
    assert taken.schema.equals(schema, check_metadata=True)
