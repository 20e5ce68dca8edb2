"""The schema for editors and `plait validate` agree on what a spec looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import jsonschema
import pytest
from msgspec import Meta

from kit.fakes import FixedLookup
from kit.mutants.mutation import Place, at, changed, places, put, rename
from kit.paths import ROOT
from kit.specs import documented_specs
from plait.language.build import usable_connector
from plait.language.schema import language_schema
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.plugin import Connector, Options
from plait.plugin.registry import offers

SCHEMA = language_schema(usable_connector(offer.word) for offer in offers())
CHECK = jsonschema.Draft7Validator(SCHEMA)
SHAPES = {"unknown-key", "missing-key", "wrong-kind"}
OTHERS: tuple[Any, ...] = ("text", 7, 7.5, True, None, [], ["text"], {}, {"some": "text"})
NAMED_BY_AUTHOR = re.compile(r"^(sources|columns|decode|parameters|partition_by|rows|\d+)$")
EDITORS_READ = """
    $schema $ref definitions title description examples default type enum const enumDescriptions allOf anyOf not if then else
    properties required additionalProperties propertyNames items pattern patternErrorMessage minLength maxLength minItems
    minProperties maxProperties minimum maximum uniqueItems
    format code doNotSuggest
"""


SPECS = documented_specs()


def _value(text: str) -> Any:
    source_map, problems = locate(text, "spec.yaml")
    assert source_map is not None, problems
    return source_map.value


def _kind(spec: Any, place: Place) -> str:
    """The place without the names that its author chose, with the connector of its block and the kind of its value."""
    block = spec.get(place[0], {}) if place[0] == "sink" else at(spec, place[:2])
    word = block.get("connector") if isinstance(block, dict) else None
    names = [
        "*" if (position and NAMED_BY_AUTHOR.match(str(place[position - 1]))) or step == 0 else str(step)
        for position, step in enumerate(place)
    ]
    return f"{word} {names} {type(at(spec, place)).__name__}"


def _mutants(spec: Any, seen: set[str]) -> Iterator[tuple[str, Any]]:
    """The spec with one node deleted, or misspelt, or of another kind; places of a kind seen before are left out."""
    for place in places(spec):
        kind = _kind(spec, place)
        if kind in seen:
            continue
        seen.add(kind)
        yield f"delete {place}", changed(spec, place, lambda parent, key: parent.pop(key))
        if isinstance(place[-1], str):
            yield f"misspell {place}", changed(spec, place, partial(rename, new=f"{place[-1]}x"))
        for other in OTHERS:
            yield f"{other!r} at {place}", changed(spec, place, partial(put, other=other))


def _codes(mutant: Any) -> set[str]:
    return {problem.code for problem in validate(json.dumps(mutant), "spec.yaml").errors}


@pytest.mark.parametrize("name", SPECS)
def test_the_schema_accepts_every_valid_spec(name: str) -> None:
    assert [error.message for error in CHECK.iter_errors(_value(SPECS[name]))] == []


def test_the_schema_and_validate_agree_on_the_shape_of_every_mutant() -> None:
    """What validate accepts the schema accepts, and what has the wrong shape it refuses."""
    seen = set[str]()
    mutants = [mutant for text in sorted(SPECS.values(), key=len) for mutant in _mutants(_value(text), seen)]
    outcomes = [(what, CHECK.is_valid(mutant), _codes(mutant)) for what, mutant in mutants]
    assert [what for what, fits, codes in outcomes if not fits and not codes] == []
    assert [(what, codes & SHAPES) for what, fits, codes in outcomes if fits and codes & SHAPES] == []
    assert len([what for what, fits, _ in outcomes if not fits]) > 500


def test_the_schema_refuses_every_spec_of_the_corpus_with_the_wrong_shape() -> None:
    folders = [ROOT / "tests/data/problems" / code for code in sorted(SHAPES)]
    files = [file for folder in folders for file in sorted(folder.rglob("*.yaml"))]
    files = [file for file in files if not file.name.endswith(".test.yaml")]
    assert [file.name for file in files if CHECK.is_valid(_value(file.read_text("utf-8")))] == []


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema in the schema."""
    if not isinstance(node, dict):
        return
    yield node
    for key in ("properties", "definitions"):
        for part in node.get(key, {}).values():
            yield from _objects(part)
    for key in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
        yield from _objects(node.get(key))
    for key in ("allOf", "anyOf"):
        for part in node.get(key, ()):
            yield from _objects(part)


def test_the_schema_is_draft_07_in_words_that_editors_read() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert {key for node in _objects(SCHEMA) for key in node} <= set(EDITORS_READ.split())


def test_every_key_of_the_schema_has_a_description() -> None:
    """A reference has the description of what it refers to; what a condition names is described elsewhere."""
    described = [
        part
        for node in _objects(SCHEMA)
        if "const" not in str(node.get("properties"))
        for part in _keys(node)
    ]
    assert len(described) > 40
    assert [part for part in described if not part.get("description")] == []


def test_every_text_of_the_schema_has_an_example_or_a_default() -> None:
    keys = {name: part for node in _objects(SCHEMA) for name, part in node.get("properties", {}).items()}
    texts = {
        name: part for name, part in keys.items() if isinstance(part, dict) and part.get("type") == "string"
    }
    illustrations = ("examples", "default", "enum", "anyOf")
    assert len(texts) > 15
    assert [name for name, part in texts.items() if not any(word in part for word in illustrations)] == []


def _keys(node: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [*node.get("properties", {}).values(), *node.get("definitions", {}).values()]
    return [part for part in parts if isinstance(part, dict) and "$ref" not in part]


def test_a_block_is_closed_by_its_connector_and_never_a_choice_between_connectors() -> None:
    sources = SCHEMA["properties"]["sources"]["additionalProperties"]
    for block in (sources, SCHEMA["properties"]["sink"]):
        assert all(rule["then"]["additionalProperties"] is False for rule in block["allOf"])
        assert "oneOf" not in block
        assert "anyOf" not in block


def test_sources_and_sinks_have_the_connectors_and_keys_that_fit_them() -> None:
    sources = _blocks(SCHEMA["properties"]["sources"]["additionalProperties"])
    assert "parquet" not in sources
    assert [*_blocks(SCHEMA["properties"]["sink"])] == ["parquet"]
    assert sources["json"]["properties"]["join"]["code"] == "not-a-lookup"
    assert "join" in sources["mysql"]["required"]
    assert [word for word, source in sources.items() if "not" not in source["properties"]["window"]] == [
        "cloudwatch_logs"
    ]


def _blocks(block: dict[str, Any]) -> dict[str, Any]:
    return {rule["if"]["properties"]["connector"]["const"]: rule["then"] for rule in block["allOf"]}


class Tree(Options, frozen=True, kw_only=True):
    title: Annotated[str, Meta(description="an option named as a word of schemas")]
    anyOf: Annotated[str, Meta(description="another one")] = "ours"  # noqa: N815 - the word itself
    two: Annotated[str | list[int] | dict[str, int], Meta(description="text or numbers")] = "none"
    inner: Annotated[Tree | None, Meta(description="a tree within")] = None
    short: Annotated[str, Meta(description="one letter", max_length=1)] = "x"


def test_a_connector_of_somebody_else_is_described_from_its_options() -> None:
    """An option that holds its own struct ends as a mapping, and a parameter may stand in any text."""
    connector = Connector(name="tree", summary="Trees.", options=Tree, lookup=FixedLookup)
    block = _blocks(language_schema([connector])["properties"]["sources"]["additionalProperties"])["tree"]
    assert block["properties"]["title"]["description"] == "an option named as a word of schemas"
    assert block["properties"]["inner"] == {"description": "a tree within", "type": "object"}
    assert block["properties"]["anyOf"]["description"] == "another one"
    short, two = (jsonschema.Draft7Validator(block["properties"][key]) for key in ("short", "two"))
    assert [short.is_valid(text) for text in ("y", "yy", "${letter}")] == [True, False, True]
    values = ("y", [1], {"a": 1}, 1, ["y"], {"a": "y"})
    assert [two.is_valid(value) for value in values] == [True] * 3 + [False] * 3
