"""Decode steps: what they turn a value into, and what they refuse."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.fakes import decodings
from kit.tables import table
from plait.values.conversion_error import ConversionError
from plait.values.decode import MAX_AT_ANY_RATIO, MAX_INFLATED, MAX_RATIO, Decoding, Step, decode
from plait.values.patterns import Pattern
from plait.values.places import Place

NOISE = bytes(range(256)) * 8


def decoded(value: Any, *words: str) -> Any:
    """A value by steps."""
    return decode({"v": value}, decodings({"v": tuple(Step(word) for word in words)}))["v"]


def refused(value: Any, *words: str) -> str:
    """Why the steps refuse a value."""
    with pytest.raises(ConversionError) as caught:
        decoded(value, *words)
    return str(caught.value)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_members_of_gzip_one_after_the_other_are_one_text(parts: list[bytes]) -> None:
    assert decoded(b"".join(map(gzip.compress, parts)), "gzip") == b"".join(parts)


@pytest.mark.fault("J12")
@pytest.mark.parametrize("cut", range(40))
def test_gzip_that_is_cut_off_is_refused(cut: int) -> None:
    """At any byte, the first included."""
    data = gzip.compress(b"0123456789")
    assert cut >= len(data) or "not complete gzip" in refused(data[:cut], "gzip")


@pytest.mark.fault("J12")
@pytest.mark.parametrize(
    "data",
    [
        b"plain",
        gzip.compress(b"a", mtime=0) + b"more",
        gzip.compress(b"a", mtime=0)[:-5] + b"\0" * 5,
        gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0)[:-1],
        b"\x1f\x8b\x08\xff" + b"\0" * 20,
    ],
)
def test_what_is_not_gzip_to_its_end_is_refused(data: bytes) -> None:
    """Other bytes, something behind it, a wrong sum, half of a second member."""
    assert "not complete gzip" in refused(data, "gzip")


@pytest.mark.fault("J12")
def test_a_bomb_is_refused_before_it_is_large() -> None:
    """By its ratio, by its size, in many members, and within another."""
    bomb = gzip.compress(b"\0" * (1 << 26))
    assert "more than 200 times its size" in refused(bomb, "gzip")
    assert "more than 200 times its size" in refused(gzip.compress(b"\0" * MAX_AT_ANY_RATIO) * 50, "gzip")
    assert "more than 200 times its size" in refused(gzip.compress(bomb), "gzip", "gzip")
    padded = gzip.compress(b"", compresslevel=0) + gzip.compress(NOISE * 200, compresslevel=0) + bomb
    assert "more than 64 MiB" in refused(padded, "gzip")
    assert MAX_RATIO * len(padded) > MAX_INFLATED


def test_small_and_usual_texts_inflate_whatever_their_ratio() -> None:
    """Up to 64 KiB anything goes."""
    assert len(decoded(gzip.compress(b" " * MAX_AT_ANY_RATIO), "gzip")) == MAX_AT_ANY_RATIO
    assert decoded(gzip.compress(NOISE * 100), "gzip") == NOISE * 100


def test_null_passes_every_step() -> None:
    """And a field that is not there stays away."""
    assert decoded(None, "base64", "gzip", "json") is None
    assert decode({}, decodings({"v": (Step("json"),)})) == {}


def test_what_lies_around_a_decoded_place_is_left_as_it_was_for_others_that_hold_it() -> None:
    shared = {"list": [{"data": "e30", "n": 1}], "b": {}}
    fields = {"a": shared, "same": shared}
    within = Decoding(Place.parse("a.list[0].data"), (Step("base64"), Step("json")))
    absent = Decoding(Place.parse("a.b.c"), (Step("json"),))
    assert decode(fields, [within, absent]) == {
        "a": {"list": [{"data": {}, "n": 1}], "b": {}},
        "same": shared,
    }
    assert shared == {"list": [{"data": "e30", "n": 1}], "b": {}}


@pytest.mark.parametrize("row", table("values/decode.yaml")["refused"])
def test_a_value_that_a_step_does_not_take_names_the_field_the_step_and_one_thing_to_do(
    row: list[Any],
) -> None:
    value, words, reason, *help = row
    with pytest.raises(ConversionError) as caught:
        decoded(value, *words)
    assert f"`v` cannot be decoded by `{words[-1]}`: " in str(caught.value)
    assert reason in str(caught.value)
    assert not help or caught.value.help == help[0]


@pytest.mark.parametrize(("value", "words", "expected"), table("values/decode.yaml")["decoded"])
def test_a_value_becomes_what_its_steps_say(value: Any, words: list[str], expected: Any) -> None:
    assert decoded(value, *words) == expected


@pytest.mark.fault("J12")
@given(st.binary(max_size=300), st.integers(1, 20))
def test_zlib_is_taken_whole_alone(data: bytes, cut: int) -> None:
    packed = zlib.compress(data)
    assert decoded(packed, "zlib") == data
    assert "not complete zlib" in refused(packed[:-cut], "zlib")
    assert "not complete zlib" in refused(packed + b"more", "zlib")
    assert "more than 200 times its size" in refused(zlib.compress(b"\0" * (1 << 20)), "zlib")


@pytest.mark.parametrize("moment", [10**15, -(10**15), "253402300800"])
def test_a_moment_that_no_calendar_has_is_refused(moment: Any) -> None:
    with pytest.raises(ConversionError, match="is no time of the years 1 to 9999"):
        decode({"v": moment}, decodings({"v": (Step("epoch", "s"),)}))


def test_only_text_is_taken_apart_by_a_pattern() -> None:
    with pytest.raises(ConversionError, match="expected text, got the number `7`"):
        decode({"v": 7}, decodings({"v": (Step("pattern", Pattern.parse("{a} b")),)}))
