"""Values are written as YAML that reads back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plait.language.yaml_reader import locate
from plait.language.yaml_writer import block_yaml, flow_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TRICKY = st.sampled_from(["", "null", "~", "yes", "012", "1e3", ".5", "0x1F", "a: b", "a #b", "- a", "2026-07-01", "{", "*"])  # fmt: skip
SCALARS = st.one_of(
    TEXTS,
    TRICKY,
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def _read(text: str) -> Any:
    source_map, problems = locate(text, "x.yaml")
    assert source_map is not None, problems
    assert problems == []
    return source_map.value["it"]


@given(VALUES)
def test_a_value_on_one_line_reads_back_as_the_same_value(value: Any) -> None:
    text = f"it: {flow_yaml(value)}"
    assert "\n" not in text
    assert _read(text) == value


@given(VALUES)
def test_a_value_over_several_lines_reads_back_as_the_same_value(value: Any) -> None:
    assert _read(f"it:\n{block_yaml(value, 2)}\n") == value
