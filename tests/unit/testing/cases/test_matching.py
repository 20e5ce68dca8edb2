"""Rows are paired as well as they can be, and the cells in which they differ are found."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.testing.cases.matching import Difference, different_cells, pair

ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3), max_size=5)
FULL = st.lists(st.fixed_dictionaries(dict.fromkeys("abc", st.integers(0, 2))), max_size=5)


def _agree(expected: dict[str, Any], actual: dict[str, Any]) -> bool:
    return all(actual[name] == value for name, value in expected.items())


@given(ROWS, FULL)
def test_rows_are_all_paired_without_difference_exactly_if_some_order_of_them_agrees(
    expected: list[dict[str, Any]], actual: list[dict[str, Any]]
) -> None:
    paired = pair(expected, actual, different_cells)
    all_agree = not paired.missing and not paired.extra
    all_agree = all_agree and all(
        _agree(expected[left], actual[right]) for left, right in paired.pairs.items()
    )
    orders = permutations(actual) if len(expected) == len(actual) else ()
    assert all_agree == any(all(map(_agree, expected, order)) for order in orders)


@given(ROWS, FULL)
def test_every_row_is_in_one_pair_or_left_over(
    expected: list[dict[str, Any]], actual: list[dict[str, Any]]
) -> None:
    paired = pair(expected, actual, different_cells)
    assert sorted([*paired.pairs, *paired.missing]) == list(range(len(expected)))
    assert sorted([*paired.pairs.values(), *paired.extra]) == list(range(len(actual)))


def test_rows_that_differ_are_paired_with_the_row_they_differ_least_from() -> None:
    expected = [{"id": 1, "a": 1, "b": 1}, {"id": 2, "a": 1, "b": 1}]
    actual = [{"id": 2, "a": 1, "b": 9}, {"id": 1, "a": 9, "b": 1}]
    assert pair(expected, actual, different_cells).pairs == {0: 1, 1: 0}


def test_rows_with_nothing_in_common_are_paired_only_if_they_are_the_last_ones() -> None:
    expected, actual = [{"id": 1, "a": 1}, {"id": 2, "a": 2}], [{"id": 3, "a": 3}, {"id": 4, "a": 4}]
    paired = pair(expected, actual, different_cells)
    assert (paired.pairs, paired.missing, paired.extra) == ({}, [0, 1], [0, 1])
    assert pair(expected[:1], actual[:1], different_cells).pairs == {0: 0}


@pytest.mark.parametrize(
    ("expected", "actual", "differences"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": {"x": 1}}, {"a": {"x": 2, "y": 1}}, [Difference(("a", "x"), 1, 2)]),
        ({"a": [{"x": 1}]}, {"a": [{"x": 2}]}, [Difference(("a", 0, "x"), 1, 2)]),
        ({"a": [1]}, {"a": [1, 2]}, [Difference(("a",), [1], [1, 2])]),
        ({"a": None}, {"a": {}}, [Difference(("a",), None, {})]),
    ],
)
def test_cells_that_differ_are_found_with_their_place(
    expected: Any, actual: Any, differences: list[Difference]
) -> None:
    assert list(different_cells(expected, actual)) == differences
