"""Reading YAML: core schema values, the span of each, and its surprises as problems."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kit.tables import table
from plait.language import yaml_reader as module
from plait.language.source_map import SourceMap
from plait.language.yaml_reader import locate
from plait.problems.problem import Problem, Span

TABLES = table("yaml_texts.yaml")
SPEC = """\
plait: 1
name: "orders"   # comment
sources:
  orders:
    connector: memory
    decode: {payload: [base64, json]}
    join:
      - a
      -
    text: |
      one
  é: 日本
"""


@pytest.fixture(params=["c", "pure"], autouse=True, scope="module")
def loader(request: pytest.FixtureRequest) -> Any:
    patch = pytest.MonkeyPatch()
    if request.param == "pure":
        patch.setattr(module, "_LOADER", yaml.SafeLoader)
    yield
    patch.undo()


def read(text: str) -> SourceMap:
    source_map, problems = locate(text, "f.yaml")
    assert source_map is not None
    assert not problems
    return source_map


def problems_of(text: str | bytes) -> list[list[Any]]:
    places: list[list[Any]] = []
    for problem in locate(text, "f.yaml")[1]:
        assert problem.span
        assert problem.file == "f.yaml"
        places.append([problem.code, problem.span.line, problem.span.column])
    return places


def problem_of(text: str) -> Problem:
    (problem,) = locate(text, "f.yaml")[1]
    return problem


def test_values_are_plain_mappings_lists_and_scalars() -> None:
    assert read(SPEC).value == {
        "plait": 1,
        "name": "orders",
        "sources": {
            "orders": {
                "connector": "memory",
                "decode": {"payload": ["base64", "json"]},
                "join": ["a", None],
                "text": "one\n",
            },
            "é": "日本",
        },
    }


def test_the_word_null_may_be_a_key_without_quotes() -> None:
    assert read("null: [a, null]").value == {"null": ["a", None]}


def test_spans_cover_keys_and_values() -> None:
    spec = read(SPEC)
    block = ("sources", "orders")
    assert spec.key_span((*block, "connector")) == Span(5, 5, 5, 14)
    assert spec.value_span((*block, "connector")) == Span(5, 16, 5, 22)
    assert spec.value_span((*block, "decode", "payload", 1)) == Span(6, 32, 6, 36)
    assert spec.value_span((*block, "decode")) == Span(6, 13, 6, 38)
    assert spec.value_span((*block, "join")) == Span(8, 7, 8, 10)
    assert spec.value_span(("sources", "é")) == Span(12, 6, 12, 8)
    assert spec.value_span(("name",)) == Span(2, 7, 2, 15)


def test_a_missing_path_falls_back_to_the_nearest_key() -> None:
    spec = read(SPEC)
    assert spec.key_span(("sources", "orders", "nothing", 0)) == spec.key_span(("sources", "orders"))
    assert spec.value_span(("sources", "orders", "nothing")) == Span(4, 3, 4, 9)
    assert spec.value_span(("sources", "orders", "join", 1)) == Span(7, 5, 7, 9)
    assert spec.key_span(()) == spec.key_span(("nothing",)) == Span(1, 1, 1, 1)


@pytest.mark.parametrize(("text", "value"), TABLES["scalars"])
def test_scalars_mean_what_the_core_schema_says(text: str, value: object) -> None:
    read_value = read(f"a: {text}\n").value["a"]
    assert (type(read_value), read_value) == (type(value), value)


@pytest.mark.parametrize("text", ["\ufeffa: é\r\nb: 2\r\n", "\ufeffa: é\r\nb: 2\r\n".encode()])
def test_byte_order_mark_and_windows_lines_are_accepted(text: str | bytes) -> None:
    spec, problems = locate(text, "f")
    assert spec
    assert not problems
    assert spec.value == {"a": "é", "b": 2}
    assert (spec.key_span(("a",)), spec.key_span(("b",))) == (Span(1, 1, 1, 2), Span(2, 1, 2, 2))


def test_a_duplicate_key_is_refused_and_names_the_first() -> None:
    problem = problem_of("a: 1\nb: 2\na: {c: 3}\n")
    assert (problem.code, problem.span) == ("duplicate-key", Span(3, 1, 3, 2))
    assert problem.note == "first given at line 1"


def test_of_two_blocks_run_together_the_first_repeated_key_is_told() -> None:
    problem = problem_of("a:\n  connector: x\n  path: p\n  connector: y\n  path: q\n")
    assert (problem.code, problem.span) == ("duplicate-key", Span(4, 3, 4, 12))
    assert problem.help == "keep one, or write a name above what follows"


@pytest.mark.parametrize(("text", "places"), TABLES["refused"], ids=range(len(TABLES["refused"])))
def test_what_cannot_be_relied_on_is_refused(text: str | bytes, places: list[Any]) -> None:
    assert locate(text, "f")[0] is None
    codes = [code for code, *_ in problems_of(text)]
    if codes[-1] == "yaml-syntax":  # each parser reports another place at the end of the text
        assert codes == [code for code, *_ in places]
    else:
        assert problems_of(text) == places


@pytest.mark.parametrize(("text", "message", "line", "column"), TABLES["broken"])
def test_broken_yaml_is_explained_in_plain_words_at_the_place_to_mend(
    text: str, message: str, line: int, column: int
) -> None:
    problem = problem_of(text)
    assert problem.code == "yaml-syntax"
    assert problem.help
    assert problem.message == message
    assert problem.span
    assert (problem.span.line, problem.span.column) == (line, column)


def check_places(text: str | bytes) -> None:
    spec, problems = locate(text, "f")
    assert (spec is None) is bool(problems)
    spans = [problem.span for problem in problems]
    if spec:
        spans += [*spec.key_spans.values(), *spec.value_spans.values()]
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    lines = re.split(r"\r\n|\r|\n", shown.removeprefix("\ufeff"))
    for span in spans:
        assert span
        assert (span.line, span.column) <= (span.end_line, span.end_column)
        for line, column in ((span.line, span.column), (span.end_line, span.end_column)):
            assert 1 <= line <= len(lines)
            assert 1 <= column <= len(lines[line - 1]) + 1


PIECES = ["\n", "  ", "\t", ":", ": ", "- ", "[", "]", "{", "}", "'", '"', "&a", "*a", "!t", "|\n"]
PIECES += ["---\n", "...\n", "\r\n", "\0", "\x85", "012", "é", "<<", *"?%,#日\\~>"]


@example("%\n")
@example("a: 1\n%b\nc: 2\n")
@given(st.text() | st.binary() | st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_text_is_read_or_has_a_problem_in_it(text: str | bytes) -> None:
    check_places(text)


@given(st.integers(0, len(SPEC)), st.integers(0, 8), st.lists(st.sampled_from(PIECES), max_size=3))
def test_a_broken_spec_is_read_or_has_a_problem_in_it(at: int, cut: int, put: list[str]) -> None:
    check_places(SPEC[:at] + "".join(put) + SPEC[at + cut :])
