"""A value converts to its type without a change of what it means, or is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.values.arrow_casts import to_array
from plait.values.convert import ConversionError, convert
from plait.values.types import parse

FITS: list[tuple[Any, str, Any]] = [
    ("12.30", "decimal(12,2)", Decimal("12.30")),
    (Decimal("9999999999.99"), "decimal(12,2)", Decimal("9999999999.99")),
    (0, "decimal(2,2)", Decimal("0.00")),
    (17.0, "bigint", 17),
    (Decimal("17.0"), "bigint", 17),
    ("17", "int", 17),
    ("1e5", "int", 100_000),
    (-128, "tinyint", -128),
    ("0.1", "double", 0.1),
    ("true", "boolean", True),
    ("NA", "string", "NA"),
    ("", "string", ""),
    ("2026-07-01", "date", date(2026, 7, 1)),
    ("2026-07-01", "timestamp", datetime(2026, 7, 1, tzinfo=UTC)),
    ("2026-07-01T10:15:30.1234569Z", "timestamp", datetime(2026, 7, 1, 10, 15, 30, 123456, tzinfo=UTC)),
    ("2026-07-01T01:00:00+02:00", "timestamp", datetime(2026, 6, 30, 23, tzinfo=UTC)),
    ("2026-07-01 10:15", "timestamp", datetime(2026, 7, 1, 10, 15, tzinfo=UTC)),
    (b"\x00", "binary", b"\x00"),
    ([1, "2"], "array<int>", [1, 2]),
    ({"a": "1", "z": 9}, "struct<a:int,b:string>", {"a": 1, "b": None}),
]
REFUSED: list[tuple[Any, str]] = [
    (Decimal("19.999"), "decimal(12,2)"),
    ("10000000000.00", "decimal(12,2)"),
    (1.5, "int"),
    (128, "tinyint"),
    (10**900, "bigint"),
    ("012", "int"),
    (" 12", "int"),
    ("0x10", "int"),
    (True, "int"),
    (1, "boolean"),
    ("yes", "boolean"),
    (1, "string"),
    (True, "string"),
    ("\ud800", "string"),
    (1_700_000_000, "timestamp"),
    ("2026-02-30", "date"),
    ("2026-07-01T25:00:00Z", "timestamp"),
    ("0001-01-01T00:00:00+02:00", "timestamp"),
    (float("nan"), "double"),
    (Decimal("Infinity"), "double"),
    ("1e999", "double"),
    (1e39, "float"),
    ("aGk=", "binary"),
    ({}, "string"),
    ([], "struct<a:int>"),
    ("a", "array<string>"),
]


@pytest.mark.parametrize(("value", "kind", "expected"), FITS)
def test_a_value_that_fits_keeps_its_meaning(value: Any, kind: str, expected: Any) -> None:
    """Text, numbers and times meet their declared type exactly."""
    converted = convert(value, parse(kind))
    assert (converted, type(converted)) == (expected, type(expected))


@pytest.mark.parametrize(("value", "kind"), REFUSED)
def test_a_value_that_does_not_fit_is_refused(value: Any, kind: str) -> None:
    """The message is bounded, however large the value is."""
    with pytest.raises(ConversionError) as error:
        convert(value, parse(kind))
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("kind", ["int", "string", "timestamp", "array<int>", "struct<a:int>"])
def test_null_meets_every_type(kind: str) -> None:
    """Null stays null."""
    assert convert(None, parse(kind)) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9))
def test_a_decimal_keeps_its_value(value: Decimal) -> None:
    """A number of two places, and its text, convert to the equal decimal(12,2)."""
    assert convert(value, parse("decimal(12,2)")) == value
    assert convert(format(value, "f"), parse("decimal(12,2)")) == value


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_survives_its_text(value: datetime) -> None:
    """ISO 8601 of any moment reads back as that moment."""
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
    """No value of any kind raises anything but ConversionError, for any type."""
    for word in ("string", "int", "decimal(38,10)", "double", "date", "timestamp", "binary", "boolean"):
        try:
            convert(value, parse(word))
        except ConversionError:
            continue
