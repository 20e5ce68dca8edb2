"""Strict JSON: the fast decoder answers only where the careful one gives the same value."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.documents import examples, json_documents, spoiled
from plait.values import strict_json
from plait.values.strict_json import UNSURE, NotJson, _parse_carefully, _parse_quickly, parse_json


@given(spoiled(json_documents) | st.binary(max_size=40))
@examples(3)
def test_the_fast_decoder_never_says_another_thing_than_the_careful_one(data: bytes) -> None:
    value = _parse_quickly(data)
    if value is not UNSURE:
        assert repr(value) == repr(_parse_carefully(data))


@given(json_documents)
def test_every_text_that_is_refused_or_read_is_so_by_the_public_function(data: bytes) -> None:
    """What comes out is the careful verdict: the same value, or the same sentence."""
    assert _verdict(parse_json, data) == _verdict(_parse_carefully, data)


@given(json_documents | spoiled(json_documents), st.sets(st.sampled_from("abcxyz")))
@examples(3)
def test_of_a_large_document_the_wanted_fields_are_what_they_are_in_the_whole(
    data: bytes, fields: set[str]
) -> None:
    """Nothing is refused that the whole is not; a key that stands twice at the top is, wanted or not."""
    verdict = _verdict(parse_json, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "LARGE", 0)
        part = _verdict(lambda data: parse_json(data, fields), data)
    if part.startswith("not:"):
        assert verdict == part
    elif not verdict.startswith("not:"):
        value = parse_json(data)
        wanted = {k: v for k, v in value.items() if k in fields} if isinstance(value, dict) else value
        assert part in (repr(wanted), verdict)


@pytest.mark.fault("J6")
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a": 1, "b": [1], "b" : 2}', "a key stands twice in one object"),
        (b'{"a": 1, "b": "\xff"}', "not UTF-8 at byte 15"),
        (b'{"a": {"c": 1, "c": 2}, "b": 1}', "a key stands twice in one object"),
        (b'{"a": 1, "b": [1}', "not JSON at byte 16: a comma, or the end, belongs here"),
    ],
)
def test_what_is_not_wanted_has_to_be_json(data: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_json, "LARGE", 0)
    assert _verdict(lambda data: parse_json(data, {"a"}), data) == f"not: {why}"


def test_a_wide_document_is_not_a_deep_one() -> None:
    """However many lists it has; the text within keeps the fast decoder unsure."""
    data = json.dumps([[number] for number in range(300)] + ['":']).encode()
    assert _parse_quickly(data) is UNSURE
    assert parse_json(data) == json.loads(data)


def _verdict(read: Any, data: bytes) -> str:
    try:
        return repr(read(data))
    except NotJson as error:
        return f"not: {error}"


PLAIN = b'{"a": "2026-03-01T10:15:30Z", "b": {"c": [{"d": 0.30}, 17, null]}, "e": "x"}'


def test_ordinary_documents_take_the_fast_way() -> None:
    """Nested values, times with colons and fractions leave no doubt."""
    assert _parse_quickly(PLAIN) == json.loads(PLAIN, parse_float=Decimal)


@pytest.mark.fault("J1")
@pytest.mark.parametrize("end", range(len(PLAIN)))
def test_a_document_cut_at_any_byte_is_refused_at_that_byte_or_before(end: int) -> None:
    """The sentence has the place where reading stopped."""
    with pytest.raises(NotJson, match=r"^not JSON at byte [0-9]+: ") as error:
        parse_json(PLAIN[:end])
    assert int(str(error.value).split()[4].rstrip(":")) <= end


@pytest.mark.fault("J4")
@given(st.integers(1, 300), st.sampled_from(["[]", '{"a":}']))
def test_a_document_is_refused_from_the_hundred_and_first_level_on(levels: int, brackets: str) -> None:
    middle = len(brackets) - 1
    data = (brackets[:middle] * levels + ("1" if middle > 1 else "") + brackets[middle] * levels).encode()
    assert _verdict(parse_json, data).startswith("not: nested deeper") == (levels > 100)
