"""Problems stand in the order in which a reader meets them."""

from __future__ import annotations

from plait.problems.problem import Problem, Span, by_place


def test_problems_are_sorted_by_file_line_column_and_code_whatever_their_length() -> None:
    problems = [
        Problem(code="no-file", message=""),
        Problem(code="later-code", message="", file="a.yaml", span=Span(2, 3, 2, 4)),
        Problem(code="no-code", message="", file="a.yaml", span=Span(2, 3, 2, 3)),
        Problem(code="a-code", message="", file="a.yaml", span=Span(2, 10, 2, 11)),
        Problem(code="a-code", message="", file="b.yaml", span=Span(1, 1, 9, 9)),
    ]
    assert sorted({*problems}, key=by_place) == problems
