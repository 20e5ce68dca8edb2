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
from kit.tables import table
from plait.values.arrow_casts import to_array
from plait.values.conversion_error import ConversionError
from plait.values.convert import convert
from plait.values.types import arrow_type, parse

TABLES = table("values/arrays.yaml")
WORDS, TEXTS = TABLES["types"], TABLES["texts"]
NUMBERS = [*TABLES["numbers"], 10**300, -(10**900)]
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


@pytest.mark.parametrize(("word", "values"), TABLES["usual"])
def test_the_usual_values_of_a_type_are_accepted_together(word: str, values: list[Any]) -> None:
    """So that ordinary columns take the fast way."""
    assert to_array(values, parse(word)) is not None
