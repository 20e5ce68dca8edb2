"""What is converted at once as an array is what each value alone is converted to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.documents import examples
from plait.values.arrow_casts import to_array
from plait.values.convert import ConversionError, convert
from plait.values.types import arrow_type, parse

WORDS = (
    *(
        "string",
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "date",
        "timestamp",
        "binary",
    ),
    *(
        "decimal(12,2)",
        "decimal(38,38)",
        "decimal(38,0)",
        "decimal(1,1)",
        "array<int>",
        "array<array<string>>",
    ),
    *("struct<a:int,b:decimal(5,2)>", "array<struct<a:timestamp>>"),
)
TEXTS = (
    *(
        "",
        "x",
        "0",
        "-0",
        "7",
        "-17",
        "007",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1.0",
        "0.30",
        "1.",
        ".5",
        "1e2",
        "1,5",
        "１",
        "٣",
    ),
    *(
        "127",
        "128",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "9" * 30,
        "0." + "1" * 40,
        "1e999",
    ),
    *("true", "false", "True", "NaN", "inf", "null", "é", "\ud800", "x\0"),
    *(
        "2026-03-01",
        "2026-02-30",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "1900-02-29",
        "2026-3-1",
        "12026-03-01",
    ),
    *("2026-03-01T10:15:30Z", "2026-03-01 10:15:30.1234567Z", "2026-03-01T10:15Z", "2026-03-01T24:00:00Z"),
    *("2016-12-31T23:59:60Z", "2026-03-01T10:15:30+02:00", "2026-03-01t10:15:30z", "0000-03-01T10:15:30Z"),
    *(
        "2026-03-01T10:15:30ZZ",
        "9999-12-31T23:59:59.999999999",
        "2026-03-01T10:15:30.",
        "2026-03-01T10:60:30Z",
    ),
)
NUMBERS = (
    *(
        0,
        1,
        -1,
        127,
        128,
        -129,
        2**31,
        2**53 + 1,
        2**63 - 1,
        2**63,
        -(2**63),
        10**37,
        10**38,
        10**300,
        -(10**900),
    ),
    *(
        Decimal("0.30"),
        Decimal("1E+2"),
        Decimal("19.999"),
        Decimal("1.2300"),
        Decimal("-0.00"),
        Decimal("0E-401"),
    ),
    *(
        Decimal("0E+401"),
        Decimal("1E-400"),
        Decimal("1E-401"),
        Decimal("1E+999"),
        Decimal("NaN"),
        Decimal("Infinity"),
    ),
    *(
        Decimal("sNaN"),
        Decimal("9" * 38),
        Decimal("9" * 39),
        Decimal("0." + "1" * 38),
        Decimal("17.0"),
        Decimal("1E+37"),
    ),
    *(0.1, -0.0, 1e39, 3.4028235e38, 3.4028236e38, 1e-310, float("nan"), float("inf"), 17.0),
)
TIMES = (
    *(date(1, 1, 1), date(2026, 3, 1), datetime(2026, 3, 1), datetime(2026, 3, 1, 1, tzinfo=UTC)),
    datetime(2026, 3, 1, 1, 2, 3, 999999, tzinfo=timezone(timedelta(hours=2))),
)
scalars = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.sampled_from(TIMES),
    st.sampled_from([None, True, False, b"", b"x", bytearray(b"x"), (1,), {1}]),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**11), max_value=10**11),
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: format(number, "f")),
)
members = st.dictionaries(st.sampled_from(["a", "b", "c"]), scalars, max_size=3)
raw = st.one_of(
    scalars, st.lists(st.one_of(scalars, members, st.lists(scalars, max_size=2)), max_size=3), members
)
VALUES_OF = {
    "text": st.sampled_from(TEXTS),
    "number": st.sampled_from(NUMBERS),
    "integer": st.integers(-(2**63), 2**63),
    "time": st.sampled_from(TIMES),
    "list": st.lists(st.sampled_from([None, 1, 2]), max_size=3),
    "mapping": st.fixed_dictionaries(
        {"a": st.integers(0, 9), "b": st.sampled_from([None, Decimal("1.5"), 1])}
    ),
}
alike = st.one_of([st.lists(st.one_of(st.none(), values), max_size=4) for values in VALUES_OF.values()])


def convert_each(values: list[Any], word: str) -> Any:
    """The array of the converted values; raises ConversionError."""
    kind = parse(word)
    return pa.array([convert(value, kind) for value in values], type=arrow_type(kind))


@given(alike | st.lists(raw, max_size=4), st.sampled_from(WORDS))
@examples(6)
def test_what_is_accepted_together_is_what_each_becomes_alone(values: list[Any], word: str) -> None:
    """Equal bit by bit, the sign of zero included; where one value is refused alone, all are refused together."""
    cast = to_array(values, parse(word))
    if cast is not None:
        cast.validate(full=True)
        assert repr(cast.to_pylist()) == repr(convert_each(values, word).to_pylist())
        assert cast.type.equals(arrow_type(parse(word)))


@pytest.mark.parametrize("word", WORDS)
def test_each_value_that_we_know_is_accepted_only_where_it_fits(word: str) -> None:
    """Each odd value stands beside null, and beside a plain value of its class."""
    plain: dict[type, Any] = {str: "0", Decimal: Decimal(0), int: 0, float: 0.0}
    values = [*TEXTS, *NUMBERS, *TIMES]
    for pair in [[None, value] for value in values] + [[value, plain.get(type(value))] for value in values]:
        cast = to_array(pair, parse(word))
        try:
            expected = convert_each(pair, word)
        except ConversionError:
            assert cast is None, pair
        else:
            assert cast is None or repr(cast.to_pylist()) == repr(expected.to_pylist()), pair


USUAL: list[tuple[str, list[Any]]] = [
    ("string", ["x", None, "é"]),
    ("bigint", [1, None]),
    ("tinyint", ["1", "-128"]),
    ("decimal(12,2)", [Decimal("0.30"), 17]),
    ("decimal(12,2)", ["0.30", None, "17"]),
    ("double", [Decimal("0.1"), 1, 0.5]),
    ("double", ["0.1", "-3"]),
    ("boolean", [True, None]),
    ("boolean", ["true", "false"]),
    ("date", ["2026-03-01", None]),
    ("timestamp", ["2026-03-01T10:15:30.123456Z", "2026-03-01 10:15:30"]),
    ("timestamp", [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1)]),
    ("binary", [b"x"]),
    ("array<struct<a:int>>", [[{"a": 1}, None], [], None]),
    ("int", [None, None]),
    ("string", []),
]


@pytest.mark.parametrize(("word", "values"), USUAL)
def test_the_usual_values_of_a_type_are_accepted_together(word: str, values: list[Any]) -> None:
    """So that ordinary columns take the fast way."""
    assert to_array(values, parse(word)) is not None
