"""Selectors are read into the steps to a value, and the facts about the driving object are told from fields."""

from __future__ import annotations

import pytest

from plait.language.forms import OBJECT_FACTS, Selector
from plait.problems.errors import SpecValueError


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("tags[0][12]", ("tags", 0, 12)),
        ('a.b[0]."c d"', ("a", "b", 0, "c d")),
        ('"a.b"', ("a.b",)),
        (r'"say \"hi\""', ('say "hi"',)),
        *((fact, (fact,)) for fact in OBJECT_FACTS),
    ],
)
def test_a_place_is_names_positions_and_quoted_names(text: str, steps: tuple[str | int, ...]) -> None:
    assert Selector.parse(text) == Selector(text, steps)


@pytest.mark.parametrize("text", ["", ".a", "a.", "a..b", "[0]", "a[-1]", "a[b]", 'a"b"', 'a."b'])
def test_a_text_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(SpecValueError, match="is no place in a record") as refusal:
        Selector.parse(text)
    assert refusal.value.code == "wrong-place"


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("$.a.b", "did you mean `a.b`?"),
        ("$.a['c d']", 'did you mean `a."c d"`?'),
        ("$key", "leave out the `$` for a field of the record"),
    ],
)
def test_only_facts_begin_with_a_dollar(text: str, help: str) -> None:
    with pytest.raises(SpecValueError) as refusal:
        Selector.parse(text)
    assert (refusal.value.code, refusal.value.help) == ("wrong-place", help)
