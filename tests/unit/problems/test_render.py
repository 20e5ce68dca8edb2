"""One snapshot for each rendering, and a caret that stands where the mistake is."""

from __future__ import annotations

from unicodedata import combining

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.tables import table
from plait.problems.problem import Problem, Span, as_json
from plait.problems.render import (
    MAX_ANNOTATIONS,
    MAX_ROWS,
    MAX_WIDTH,
    concise,
    full,
    github,
    summary,
)

FILE = "pipelines/orders.yaml"
SOURCE = "plait: 1\nsources:\n  orders:\n    connector: memroy\n"
PROBLEM = Problem(
    code="unknown-connector",
    message="no connector is called `memroy`",
    file=FILE,
    span=Span(4, 16, 4, 22),
    help="did you mean `memory`?",
    note="installed: memory",
)
TABLES = table("renderings.yaml")
AT_RUN_TIME = Problem(code="lookup-denied", message="denied", help="ask", level="warning")


def rendered(source: str, span: Span) -> list[str]:
    problem = Problem(code="c", message="m", file="f", span=span)
    return full([problem], {"f": source}, colour=False).split("\n")


def test_a_rendering_is_as_its_snapshot() -> None:
    problems = [PROBLEM, AT_RUN_TIME]
    assert full(problems, {FILE: SOURCE}, colour=False) == TABLES["full"]
    assert concise(problems) == TABLES["concise"]
    assert as_json(problems) == TABLES["json"]


@pytest.mark.parametrize("name", TABLES["excerpts"])
def test_the_place_of_a_problem_is_shown_with_a_caret_below_it(name: str) -> None:
    excerpt = TABLES["excerpts"][name]
    lines = excerpt["shown"]
    assert rendered(excerpt["source"], Span(*excerpt["span"]))[-len(lines) :] == lines


def test_full_without_the_source_shows_the_place_only() -> None:
    assert full([PROBLEM], {}, colour=False).split("\n")[1:3] == [
        " --> pipelines/orders.yaml:4:16",
        "  = help: did you mean `memory`?",
    ]


def test_colour_adds_only_escapes() -> None:
    assert full([PROBLEM], {FILE: SOURCE}, colour=True).startswith(
        "\x1b[1;31merror[unknown-connector]\x1b[0m: "
    )


def test_github_gets_escapes_for_what_its_commands_reserve_and_no_columns_for_several_lines() -> None:
    odd = Problem(code="c", message="50%\r\nof a:b,c", file="a,b:c.yaml", span=Span(1, 2, 1, 3))
    lines = Problem(code="c", message="m", file="f", span=Span(1, 2, 3, 4))
    assert github([odd, lines, AT_RUN_TIME]) == TABLES["github"]


def test_github_marks_ten_of_each_level_and_a_table_has_the_rest() -> None:
    """GitHub drops what exceeds ten errors and ten warnings of a step."""
    errors = [Problem(code="c", message=f"m{n} | <b>", file="f", span=Span(n, 1, n, 2)) for n in range(1, 13)]
    many = [*errors, *[AT_RUN_TIME] * 11]
    assert (github(many).count("::error "), github(many).count("::warning ")) == (10, 10)
    assert summary(many[:10]) == ""
    assert summary(many).splitlines()[2:] == [
        "| place | level | code | problem |",
        "| --- | --- | --- | --- |",
        "| f:11:1 | error | `c` | m11 \\| &lt;b> |",
        "| f:12:1 | error | `c` | m12 \\| &lt;b> |",
        "|  | warning | `lookup-denied` | denied (ask) |",
    ]


def test_a_very_long_table_ends_with_how_many_more_there_are() -> None:
    assert summary([AT_RUN_TIME] * (MAX_ANNOTATIONS + MAX_ROWS + 2)).endswith("\n… and 2 more")


def test_only_twenty_are_shown_unless_all_are_asked_for() -> None:
    many = [AT_RUN_TIME] * 23
    assert full(many, {}, colour=False).endswith("\n\n… and 3 more")
    assert full(many, {}, colour=False).count("warning[") == 20
    assert full(many, {}, colour=False, limit=None).count("warning[") == 23


def test_a_line_break_in_a_message_stays_on_its_line() -> None:
    problem = Problem(code="c", message="a\n\x1b[2J")
    assert full([problem], {}, colour=False) == "error[c]: a\\n\\x1b[2J"


@pytest.mark.parametrize(("before", "after"), [(300, 300), (1_000_000, 0)])
def test_a_long_line_is_shortened_around_the_caret(before: int, after: int) -> None:
    span = Span(1, before + 1, 1, before + 5)
    shown, caret = rendered("x" * before + "HERE" + "y" * after, span)[3:]
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "HERE"
    assert shown.startswith("1 | …x")
    assert shown.endswith("y…" if after else "HERE")
    assert len(shown) <= MAX_WIDTH + len("1 | ……")


@given(st.text(), st.integers(0, 9), st.integers(0, 300), st.integers(0, 9), st.integers(0, 300))
def test_any_span_of_any_text_is_shown(text: str, a: int, b: int, c: int, d: int) -> None:
    lines = rendered(text, Span(a, b, c, d))
    assert all(c.isprintable() or combining(c) for line in lines for c in line)
