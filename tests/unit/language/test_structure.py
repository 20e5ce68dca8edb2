"""The shape of a document is judged by jsonschema, and told in our words at its place."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Annotated, Any

import msgspec
import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from kit.specs import documented_specs
from plait.language import structure
from plait.language.schema import language_schema, struct_schema
from plait.language.structure import check_bound, check_document, schema_of, shape_problems, to_problems
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.plugin import Options
from plait.plugin.registry import connector, offers
from plait.problems.problem import Problem

SPEC = """\
plait: 1
name: orders
parameters: {raw: {default: s3://raw}, word: {default: json}}
sources:
  orders:
    connector: json
    path: ${raw}/orders/*.json
    columns: {id: string, at: timestamp}
  stores:
    connector: mysql
    secret: shop/stores
    table: stores
    columns: {city: string}
    join: {on: id}
    cache: 5m
sink: {connector: parquet, path: "${raw}/out/"}
"""
PIECES = [
    "",
    "5m",
    "5m\n",
    "٣m",
    "90s",
    "a.b[0]",
    "$object",
    '"c d"',
    "s3://b/x/*.json",
    "s3:/b",
    "{id}",
    "{",
    "}",
]
PIECES += [
    "in/{day}",
    "*",
    "${raw}",
    "int",
    "decimal(12,2)",
    "decimal(3",
    "array<int>",
    "date(at)",
    "bucket(4, a)",
]
PIECES += ["a_1", "Ünï", "a-b", " ", "\u2028", "\U0001f600", "keep", "column", ";"]
TEXTS = [*PIECES, *(a + b for a, b in zip(PIECES, PIECES[7:] + PIECES[:7], strict=True))]
TEXTS += [a + b + c for a in PIECES[:9] for b in PIECES[9:18] for c in PIECES[18:20]]


def problems(text: str) -> list[Problem]:
    source_map, problems = locate(text, "spec.yaml")
    assert source_map is not None, problems
    return to_problems(shape_problems(source_map.value, schema_of(source_map.value)), source_map)


def only(text: str) -> tuple[str, str, str | None]:
    """The code, what is marked, and the help of the only problem."""
    (problem,) = problems(text)
    assert problem.span is not None
    line = text.splitlines()[problem.span.line - 1]
    return problem.code, line[problem.span.column - 1 : problem.span.end_column - 1], problem.help


def patterns(node: Any) -> set[str]:
    """Every pattern in a schema."""
    if isinstance(node, list):
        return {pattern for child in node for pattern in patterns(child)}
    if not isinstance(node, dict):
        return set()
    own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
    return own | {pattern for child in node.values() for pattern in patterns(child)}


def test_jsonschema_judges_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it nothing is validated."""
    structure._validator_class.cache_clear()
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ImportError):
        validate(SPEC, "spec.yaml")


def test_a_parameter_may_stand_in_every_text_and_only_there() -> None:
    assert problems(SPEC) == []
    assert problems(SPEC.replace("cache: 5m", "cache: ${raw}").replace("on: id", "on: '${raw}'")) == []
    assert problems(SPEC.replace("on: id", "on: id, as: '${raw}'").replace("json\n", "${word}\n")) == []
    code, marked, _ = only(SPEC + "deploy: {memory: '${raw}'}\n")
    assert (code, marked) == ("wrong-kind", "'${raw}'")


def test_a_value_made_of_a_parameter_is_judged_once_more_and_names_it() -> None:
    source_map, _ = locate(SPEC.replace("cache: 5m", "cache: ${raw}"), "spec.yaml")
    assert source_map is not None
    problems, _ = check_document(source_map, {}, {})
    places = [(problem.code, problem.span and problem.span.line, problem.note) for problem in problems]
    assert places == [
        ("unused-parameter", 3, None),
        ("wrong-duration", 15, "the value is made of the parameter `raw`"),
    ]


def test_a_connector_that_a_parameter_names_closes_its_block() -> None:
    source_map, _ = locate(
        SPEC.replace("connector: json", "connector: ${word}").replace("path: ${raw}/o", "paht: o"), "f"
    )
    assert source_map is not None
    assert [*shape_problems(source_map.value, schema_of(source_map.value))] == []
    problems = [*check_bound(source_map.value, {"raw": "s3://raw", "word": "json"})]
    assert [(problem.code, problem.path[-1]) for problem in problems] == [("unknown-key", "paht")]


@pytest.mark.parametrize(
    ("old", "new", "code", "marked", "help"),
    [
        ("  orders:\n    connector", "  orders:\n    type", "unknown-key", "type", "did you mean `connector: json`?"),
        ("connector: mysql", "connector: mysqll", "unknown-connector", "mysqll", "did you mean `mysql`?"),
        ("    join: {on: id}\n", "", "not-a-driver", "mysql", "add `join: {on: …}` with a column of the driving source"),
        ("    join: {on: id}", "  join: {on: id}", "misplaced-block", "join", "indent it below `stores`"),
        ("on: id", "on: [id, id]", "repeated-key", "id", "keep one"),
        ("cache: 5m", "cache:", "no-value", "cache", "how long a warm process keeps answers, as in `cache: 90s`"),
        ("cache: 5m", "window: {around: at, before: 1h, after: 1h}", "window-without-time", "window", "remove it"),
        ("plait: 1", "plait: 1.0", "unknown-version", "1.0", "version of the language: 1, as in `plait: 1`"),
        ("table: stores", "password: x\n    table: stores", "literal-secret", "password", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_once_at_its_place(
    old: str, new: str, code: str, marked: str, help: str | None
) -> None:
    text = SPEC.replace(old, new, 1)
    if code == "misplaced-block":
        text = text.replace("    cache: 5m\n", "").replace(
            "columns: {city: string}\n", "columns: {city: string}\n    cache: 5m\n"
        )
        assert ("misplaced-block", "join") in {(p.code, (p.message).split("`")[1]) for p in problems(text)}
        return
    problem = only(text)
    assert problem[:2] == (code, marked)
    assert help is None or problem[2] == help


def test_of_an_unknown_connector_only_the_common_keys_are_judged() -> None:
    text = SPEC.replace("connector: mysql", "connector: postgres").replace(
        "cache: 5m", "cache: soon\n    query: x"
    )
    assert [problem.code for problem in problems(text)] == ["unknown-connector", "wrong-duration"]


class Look(Options, frozen=True, kw_only=True):
    """Options whose pattern RE2 does not read."""

    word: Annotated[str, msgspec.Meta(pattern="^(?!x)", description="no x first")] = "a"


def test_a_pattern_of_a_connector_that_re2_does_not_read_is_matched_by_python() -> None:
    assert [problem.code for problem in shape_problems({"word": "xa"}, struct_schema(Look))] == ["bad-name"]
    assert [*shape_problems({"word": "ax"}, struct_schema(Look))] == []


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
                        ["plait", "name", "sources", "sink", "connector", "json", "join", "on", "columns", "decode",
                         "parameters", "path"]) | st.text(), inner), max_leaves=20))  # fmt: skip
def test_any_document_is_judged(value: Any) -> None:
    """Whatever a document holds, each problem has a place and something to do."""
    for problem in shape_problems(value, SCHEMA):
        assert problem.code
        assert problem.message
        assert problem.help


SCHEMA = language_schema(connector(offer.word) for offer in offers())


def test_every_pattern_means_the_same_to_editors_and_here() -> None:
    """Node runs each pattern as yaml-language-server does, with the flag `u`."""
    node = shutil.which("node")
    assert node, "Node.js is not installed: run `make system`"
    every = sorted(patterns(SCHEMA))
    assert len(every) > 10
    assert len(TEXTS) >= 200
    script = """
        const [patterns, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
        console.log(JSON.stringify(patterns.map(p => texts.map(t => new RegExp(p, "u").test(t)))));
    """
    answer = subprocess.run(
        [node, "-e", script], input=json.dumps([every, TEXTS]), capture_output=True, check=True, text=True
    )
    ours = [[re2.search(pattern, text) is not None for text in TEXTS] for pattern in every]
    assert ours == json.loads(answer.stdout)
    assert any(any(row) and not all(row) for row in ours)


def test_every_shipped_spec_has_the_right_shape() -> None:
    assert [name for name, text in documented_specs().items() if problems(text)] == []
