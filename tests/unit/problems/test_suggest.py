"""A mistyped word is answered by one suggestion, and only if a known word is near."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.tables import table
from plait.language import keys as language
from plait.language.build import usable_connector
from plait.plugin import Options
from plait.plugin.registry import offers
from plait.problems.suggest import help_for, nearest
from plait.values.decode import STEPS
from plait.values.types import FORMS

TABLES = table("suggestions.yaml")
WORDS = sorted(offer.word for offer in offers())


def legal(words: Any) -> list[str]:
    """The words that a row of the tables names."""
    return WORDS if words == "connectors" else words


@pytest.mark.parametrize(("word", "words", "meant"), [*TABLES["nearest"], ("x" * 5000, "connectors", None)])
def test_nearest_is_what_was_meant_or_nothing(word: str, words: Any, meant: str | None) -> None:
    assert nearest(word, legal(words)) == meant


def test_an_unrelated_word_is_answered_by_no_suggestion() -> None:
    """The known words are all that a spec may have: keys, options, connectors, types and decode steps."""
    structs = [
        value for value in vars(language).values() if isinstance(value, type) and issubclass(value, Options)
    ]
    structs += [usable_connector(offer.word).options for offer in offers()]
    known = {key for struct in structs for key in struct.__struct_encode_fields__}
    known |= {*WORDS, *FORMS, *STEPS}
    assert len(known) > 70
    assert [(word, meant) for word in TABLES["unrelated"].split() if (meant := nearest(word, known))] == []


@pytest.mark.parametrize(("word", "words", "kind", "where", "help"), TABLES["helps"])
def test_the_help_names_what_was_meant_or_the_words_to_choose_from(
    word: str, words: Any, kind: str, where: str | None, help: str
) -> None:
    assert help_for(word, legal(words), kind, where) == help


def test_many_words_that_nothing_lists_are_cut_short() -> None:
    assert help_for("zzz", [f"w{i}" for i in range(9)], "word", None).endswith("`w7` and 1 more")


def test_a_set_gives_the_same_help_each_time() -> None:
    assert help_for("zzz", {"c", "a", "b"}, "word", None) == "one of `a`, `b`, `c`"


@given(st.text(), st.lists(st.text(max_size=20)))
def test_nearest_is_one_of_the_words(word: str, words: list[str]) -> None:
    assert nearest(word, words) in {None, *words}
