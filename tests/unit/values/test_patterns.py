"""Python's matcher and RE2 give the same fields for every pattern, and no text makes a match slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kit.tables import table
from plait.problems.errors import SpecValueError
from plait.values import patterns
from plait.values.patterns import STAR, Expression, Part, Pattern, split

if TYPE_CHECKING:
    from collections.abc import Sequence

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


@pytest.mark.parametrize(("pattern", "neighbours"), TABLES["adjacent"])
def test_holes_side_by_side_are_refused_with_what_could_stand_between(pattern: str, neighbours: str) -> None:
    with pytest.raises(SpecValueError) as caught:
        Pattern.parse(pattern)
    assert (caught.value.code, caught.value.part) == ("adjacent-holes", neighbours)
    assert "write the text that stands between them" in (caught.value.help or "")


def match_by_trying(parts: Sequence[Part], text: str, *, after_run: bool = False) -> dict[str, str] | None:
    """The fields by trying each end of each hole, the nearest first; `after_run` asks for the end of a run here."""
    if after_run and text and not text[0].isspace():
        return None
    if not parts:
        return None if text else {}
    part, *others = parts
    if isinstance(part, str):
        return match_by_trying(others, text[len(part) :]) if text.startswith(part) else None
    for end in range(part != STAR, len(text) + 1):
        if part != STAR and not part.takes_spaces and any(map(str.isspace, text[:end])):
            return None
        fields = match_by_trying(others, text[end:], after_run=part != STAR and others[:1] == [STAR])
        if fields is not None:
            return fields if part == STAR else {part.name: text[:end], **fields}
    return None


def is_pattern(text: str) -> bool:
    """Whether no holes stand side by side."""
    try:
        return bool(Pattern.parse(text))
    except SpecValueError:
        return False


literals = st.text("xy ,\n.é", max_size=2)
gaps = literals | literals.map("{}*".format) | literals.map("*{}".format)
pattern_texts = st.builds(
    lambda holes, end: "".join(f"{gap}{{f{n}{star}}}" for n, (gap, star) in enumerate(holes)) + end,
    st.lists(st.tuples(gaps, st.sampled_from(["", "", "*"])), min_size=1, max_size=3),
    gaps,
).filter(is_pattern)


@given(pattern_texts, st.text("xy ,\n.é\u2003\x1c", max_size=12))
def test_a_pattern_matches_as_a_matcher_that_tries_all_ways(text: str, line: str) -> None:
    assert Pattern.parse(text).match(line) == match_by_trying(split(text), line)


texts = st.text("abc=;", min_size=1, max_size=3)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_what_was_printed_by_a_pattern_is_read_back_by_it(fields: list[tuple[str, str]]) -> None:
    """For literals that first occur where their value ends, and nowhere later."""
    for number, (value, literal) in enumerate(fields):
        remaining = "".join(value + literal for value, literal in fields[number:])
        assume((value + literal).find(literal) == len(value) and remaining.count(literal) == 1)
    text = "".join(f"{{f{number}}}{literal}" for number, (_, literal) in enumerate(fields))
    line = "".join(value + literal for value, literal in fields)
    assert Pattern.parse(text).match(line) == {
        f"f{number}": value for number, (value, _) in enumerate(fields)
    }


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
    assert Expression.parse(regex).match(text * (LONG // len(text))) is None


def test_a_group_that_takes_no_part_is_null() -> None:
    expression = Expression.parse("(?P<a>x)?(?P<b>y*)")
    assert expression.names == ("a", "b")
    assert expression.match("") == {"a": None, "b": ""}


@pytest.mark.parametrize("regex", ["(?=a)(?P<x>a)", r"(?P<x>a)\1", "(?P<x>a", "a++(?P<x>b)", "(?P<x>a){2,1}"])
def test_what_re2_does_not_know_is_refused_at_once(regex: str) -> None:
    """With its own words for what is wrong."""
    with pytest.raises(SpecValueError, match=r"the expression cannot be read: \w") as caught:
        Expression.parse(regex)
    assert caught.value.code == "wrong-regex"


def test_half_of_a_surrogate_pair_is_no_match_where_only_re2_can_tell() -> None:
    """No service sends it, and no file could hold it."""
    assert Expression.parse("(?P<x>.*)").match("\ud800") is None
    assert Pattern.parse("{x}").match("\ud800") == {"x": "\ud800"}
