"""The rooms follow the memory of the function, and values are counted before they are built."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from plait.values import memory
from plait.values.strict_json import TooManyValues, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
COUNT = 20_000
VALUES = ["{}", "[]", '{"a":%d}', '{"a":[{"b":{}}]}', '{"name":"x%d","n":[1.5,%d]}', '"%d"', "%d.5", '"é%d"']


@pytest.fixture
def small_function(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
    memory.memory.cache_clear()
    yield
    memory.memory.cache_clear()


@pytest.mark.fault("J3")
@pytest.mark.parametrize("text", VALUES)
def test_the_count_of_values_tells_what_memory_they_take(text: str) -> None:
    """From six tenths of it, for texts of several bytes a letter, to three times."""
    element = text.replace("%d", "1234567")
    data = f"[{','.join([element] * COUNT)}]".encode()
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
    tracemalloc.start()
    values = decoder.decode(data)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(values) == COUNT
    assert taken * 0.6 <= memory.size_of_values(data) <= taken * 3


@pytest.mark.fault("J3")
def test_a_document_of_more_values_than_there_is_memory_for_is_refused_before_they_are_built(
    small_function: None,
) -> None:
    """What is not wanted is not built, so it does not count."""
    assert (memory.room_for_object(), memory.room_for_values(), memory.room_for_batch()) == (
        8 * MIB,
        32 * MIB,
        8 * MIB,
    )
    data = b'{"a": [' + b",".join([b"{}"] * 400_000) + b'], "b": {"c": 1.50}}'
    tracemalloc.start()
    with pytest.raises(TooManyValues, match="about 40 MB of memory, more than the 32 there are"):
        parse_json(data)
    with pytest.raises(TooManyValues):
        parse_json(data, {"a"})
    assert parse_json(data, {"b", "x"}) == {"b": {"c": Decimal("1.50")}}
    assert tracemalloc.get_traced_memory()[1] < 3 * len(data)
    tracemalloc.stop()
