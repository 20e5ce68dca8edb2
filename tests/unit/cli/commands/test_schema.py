"""`plait schema`: the language with what is installed, on stdout."""

from __future__ import annotations

import json

from plait.plugin.registry import offers
from unit.cli.commands.conftest import Call


def test_the_schema_offers_each_installed_connector(plait: Call) -> None:
    ended = plait("schema")
    schema = json.loads(ended.stdout)
    source = schema["properties"]["sources"]["additionalProperties"]["properties"]["connector"]
    sink = schema["properties"]["sink"]["properties"]["connector"]
    words = [word for part in (source, sink) for word in part["anyOf"][0]["enum"]]
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert sorted(words) == [offer.word for offer in offers()]
