"""A value converts to its type without a change of what it means, or is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.tables import table
from plait.values.arrow_casts import to_array
from plait.values.conversion_error import ConversionError
from plait.values.convert import convert
from plait.values.types import parse

TABLES = table("values/conversions.yaml")


@pytest.mark.parametrize(("value", "kind", "expected"), TABLES["fits"])
def test_a_value_that_fits_keeps_its_meaning(value: Any, kind: str, expected: Any) -> None:
    converted = convert(value, parse(kind))
    assert (converted, type(converted)) == (expected, type(expected))


@pytest.mark.parametrize(("value", "kind"), [*TABLES["refused"], (10**900, "bigint")])
def test_a_value_that_does_not_fit_is_refused(value: Any, kind: str) -> None:
    """The message is bounded, however large the value is."""
    with pytest.raises(ConversionError) as error:
        convert(value, parse(kind))
    assert len(str(error.value)) < 200


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9))
def test_a_decimal_keeps_its_value(value: Decimal) -> None:
    """A number of two places, and its text, convert to the equal decimal(12,2)."""
    assert convert(value, parse("decimal(12,2)")) == value
    assert convert(format(value, "f"), parse("decimal(12,2)")) == value


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_survives_its_text(value: datetime) -> None:
    assert convert(value.isoformat(), parse("timestamp")) == value


ZONES: Any = st.one_of(
    st.none(),
    st.timezones(),
    st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
EDGES = st.one_of(
    st.datetimes(max_value=datetime(1, 1, 3), timezones=ZONES),
    st.datetimes(min_value=datetime(9999, 12, 29), timezones=ZONES),
)


@given(EDGES)
def test_a_moment_at_the_edge_of_time_is_right_or_refused(moment: datetime) -> None:
    """The years 1 and 9999, any zone, a moment or its text, alone or in an array: the same moment in UTC, or refused."""
    for value in (moment, moment.isoformat(), moment.date(), moment.isoformat()[:16]):
        for word in ("timestamp", "date", "string", "bigint", "boolean", "binary", "array<timestamp>"):
            try:
                converted = convert(value, parse(word))
            except ConversionError:
                continue
            if isinstance(value, datetime):
                assert converted == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            bulk = to_array([value], parse(word))
            assert bulk is None or bulk.to_pylist() == [converted]


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.binary(), st.lists(st.integers())))
def test_any_value_fits_or_is_refused(value: Any) -> None:
    for word in ("string", "int", "decimal(38,10)", "double", "date", "timestamp", "binary", "boolean"):
        try:
            convert(value, parse(word))
        except ConversionError:
            continue
