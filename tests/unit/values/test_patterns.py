"""Python's matcher and RE2 give the same fields for every pattern, and no text makes a match slow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.tables import table
from plait.language.build.columns import read_regex
from plait.problems.errors import SpecValueError
from plait.values import patterns
from plait.values.patterns import Pattern

LONG = 1 << 18
TABLES = table("values/patterns.yaml")


@pytest.mark.parametrize(("pattern", "line", "fields"), TABLES["matches"])
@pytest.mark.parametrize("most", [patterns.MAX_PYTHON_STEPS, 0])
def test_a_pattern_gives_the_runs_of_text_that_it_names(
    monkeypatch: pytest.MonkeyPatch, most: int, pattern: str, line: str, fields: Any
) -> None:
    """By Python's matcher and by RE2."""
    monkeypatch.setattr(patterns, "MAX_PYTHON_STEPS", most)
    assert Pattern.parse(pattern).match(line) == fields


literals = st.lists(st.sampled_from(["*", "x", "y", " ", ",", "\n", ".", "é"]), max_size=2).map("".join)
pattern_texts = st.lists(literals, min_size=2, max_size=4).map(
    lambda texts: "".join(f"{text}{{f{n}}}" for n, text in enumerate(texts[:-1])) + texts[-1]
)


@pytest.mark.fault("W7")
@given(pattern_texts, st.text("xy ,\n.é\u2003\x1c", max_size=12))
def test_both_matchers_agree_on_every_pattern_and_line(text: str, line: str) -> None:
    """Python's, for short lines, and RE2, for long ones."""
    answers = []
    for most in (10**30, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(patterns, "MAX_PYTHON_STEPS", most)
            answers.append(Pattern.parse(text).match(line))
    assert answers[0] == answers[1]


@pytest.mark.fault("W7")
@pytest.mark.parametrize(("pattern", "text"), TABLES["slow patterns"])
def test_no_line_makes_a_pattern_slow(pattern: str, text: str) -> None:
    assert Pattern.parse(pattern).match(text * (LONG // len(text))) is None


@pytest.mark.fault("W7", "S6")
@pytest.mark.parametrize(("regex", "text"), TABLES["slow expressions"])
def test_no_text_makes_an_expression_slow(regex: str, text: str) -> None:
    assert read_regex(regex).match(text * (LONG // len(text))) is None


def test_a_group_that_takes_no_part_is_null() -> None:
    expression = read_regex("(?P<a>x)?(?P<b>y*)")
    assert expression.names == ("a", "b")
    assert expression.match("") == {"a": None, "b": ""}


@pytest.mark.parametrize("regex", ["(?=a)(?P<x>a)", r"(?P<x>a)\1", "(?P<x>a", "a++(?P<x>b)", "(?P<x>a){2,1}"])
def test_what_re2_does_not_know_is_refused_at_once(regex: str) -> None:
    """With its own words for what is wrong."""
    with pytest.raises(SpecValueError, match=r"the expression cannot be read: \w") as caught:
        read_regex(regex)
    assert caught.value.code == "wrong-regex"


def test_half_of_a_surrogate_pair_is_no_match_where_only_re2_can_tell() -> None:
    """No service sends it, and no file could hold it."""
    assert read_regex("(?P<x>.*)").match("\ud800") is None
    assert Pattern.parse("{x}").match("\ud800") == {"x": "\ud800"}
