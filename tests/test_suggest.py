"""Suggestions: one candidate, and only where it is near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.suggest import help_for, nearest

WORDS = ["cloudwatch_logs", "csv", "dynamodb", "json", "memory", "mysql", "parquet"]


@pytest.mark.parametrize(
    ("word", "words", "meant"),
    [
        ("memroy", WORDS, "memory"),
        ("cvs", WORDS, "csv"),
        ("jsno", WORDS, "json"),
        ("cloudwatch-logs", WORDS, "cloudwatch_logs"),
        ("CSV", WORDS, "csv"),
        ("Dynamo", WORDS, "dynamodb"),
        ("kee", ["key", "path"], "key"),
        ("no", ["on", "as"], "on"),
        ("form", ["from", "type"], "from"),
        ("postgres", WORDS, None),
        ("id", ["on", "as"], None),
        ("", WORDS, None),
        ("x" * 5000, WORDS, None),
        ("csv", [], None),
    ],
)
def test_nearest_is_what_was_meant_or_nothing(word: str, words: list[str], meant: str | None) -> None:
    assert nearest(word, words) == meant


def test_a_near_word_is_proposed_alone() -> None:
    assert help_for("memroy", WORDS, "connector", "`plait connectors`") == "did you mean `memory`?"


def test_a_few_words_are_listed() -> None:
    assert help_for("zzz", ["a", "b", "c"], "word", None) == "one of `a`, `b`, `c`"


def test_many_words_are_said_where_to_find() -> None:
    many = [f"w{i}" for i in range(9)]
    assert help_for("zzz", many, "word", "`plait words`") == "`plait words` lists them"
    assert help_for("zzz", many, "word", None).endswith("`w7` and 1 more")


def test_no_words_are_said_to_be_none() -> None:
    assert help_for("zzz", [], "source", None) == "there is no source to choose from"


def test_a_set_gives_the_same_help_each_time() -> None:
    assert help_for("zzz", {"c", "a", "b"}, "word", None) == "one of `a`, `b`, `c`"


@given(st.text(), st.lists(st.text(max_size=20)))
def test_nearest_is_one_of_the_words(word: str, words: list[str]) -> None:
    assert nearest(word, words) in {None, *words}
