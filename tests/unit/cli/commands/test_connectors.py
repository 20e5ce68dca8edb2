"""`plait connectors` and `plait schema`, and the JSON Schema of options."""

from __future__ import annotations

import json
from typing import Annotated

import jsonschema
import msgspec
import pytest

from kit.console import Call
from plait.language.schema import options_schema
from plait.plugin import Connector, FolderPath, Options
from plait.plugin.registry import offers

WORDS = [offer.word for offer in offers()]


def test_each_installed_word_has_its_abilities(plait: Call) -> None:
    answer = json.loads(plait("connectors", "-o", "json").stdout)
    connectors = {connector["name"]: connector for connector in answer["connectors"]}
    assert answer["format_version"] == 1
    assert [*connectors] == WORDS
    assert connectors["memory"]["abilities"] == ["drive", "look up"]
    assert connectors["parquet"]["abilities"] == ["write"]
    assert all(
        connector["problem"] is None and connector["distribution"] for connector in connectors.values()
    )


def test_the_table_has_a_line_per_word(plait: Call) -> None:
    lines = plait("connectors").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == WORDS


@pytest.mark.parametrize("word", WORDS)
def test_the_schema_of_every_connector_is_closed_and_described(plait: Call, word: str) -> None:
    schema = json.loads(plait("connectors", word, "-o", "json").stdout)["schema"]
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert all(option["description"] for option in schema["properties"].values())


def test_the_schema_of_the_language_offers_each_installed_connector(plait: Call) -> None:
    ended = plait("schema")
    schema = json.loads(ended.stdout)
    source = schema["properties"]["sources"]["additionalProperties"]["properties"]["connector"]
    sink = schema["properties"]["sink"]["properties"]["connector"]
    words = [word for part in (source, sink) for word in part["anyOf"][0]["enum"]]
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert sorted(words) == WORDS


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    times: int = 3


class Made(Options, frozen=True, kw_only=True):
    path: FolderPath
    others: Annotated[list[FolderPath], msgspec.Meta(description="more folders")] = msgspec.field(
        default_factory=list
    )
    spare: FolderPath | None = None
    usual: FolderPath = FolderPath.parse("out/")
    retry: Retry = Retry()


def test_what_is_read_from_text_is_text_wherever_it_stands() -> None:
    schema = options_schema(Connector(name="made", summary="Made up.", options=Made))
    options = schema["properties"]
    assert options["path"] == FolderPath.json_schema | {
        "type": "string",
        "format": "plait.values.paths.FolderPath",
    }
    assert options["others"]["items"] == options["path"]
    assert options["others"]["description"] == "more folders"
    assert options["spare"] == options["path"]
    assert options["usual"]["default"] == "out/"
    assert options["retry"]["properties"]["times"]["default"] == 3
    jsonschema.validate({"path": "x", "retry": {"times": 1}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"path": "x", "unknown": 1}, schema)
