"""The JSON Schema of the whole language with its connectors, in the subset that editors read (draft-07)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.language.keys import Document
from plait.language.option_schema import REF, options_schema, struct_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.plugin import Connector

DIALECT = "http://json-schema.org/draft-07/schema#"
PARAMETER = r"\$\{"
Schema = dict[str, Any]


def language_schema(connectors: Iterable[Connector]) -> Schema:
    """The schema of a spec that may use these connectors; each block is closed once its word is known."""
    words = sorted(connectors, key=lambda one: one.name)
    document = struct_schema(Document)
    keys = document["properties"]
    sources, sink = keys["sources"]["additionalProperties"], keys["sink"]
    definitions = {name: part for name, part in sources["properties"].items() if name != "connector"}
    keys["sources"]["additionalProperties"] = _choice(
        sources["properties"]["connector"], [(one, _source(one)) for one in words if one.driver or one.lookup]
    )
    word = sink["properties"]["connector"]
    written = [(one, _closed(one, {}, [])) for one in words if one.sink]
    keys["sink"] = {**_choice(word, written), "description": sink["description"]}
    whole = {"$schema": DIALECT, **document, "definitions": definitions}
    opened: Schema = _with_parameters(whole)
    return opened


def _choice(word: Schema, blocks: list[tuple[Connector, Schema]]) -> Schema:
    """A block that its connector's word turns into that connector's own."""
    names = {"enum": [one.name for one, _ in blocks], "enumDescriptions": [one.summary for one, _ in blocks]}
    return {
        "type": "object",
        "properties": {"connector": {**word, **names}},
        "required": ["connector"],
        "allOf": [
            {
                "if": {"properties": {"connector": {"const": one.name}}, "required": ["connector"]},
                "then": block,
            }
            for one, block in blocks
        ],
    }


def _source(one: Connector) -> Schema:
    """The keys of a source with this connector: without `join` where it cannot look up, nor `window` without time."""
    joins = ["join"] if one.lookup else []
    windows = ["window"] if one.lookup and one.order == "time" else []
    common = ["columns", "decode", *joins, *windows, "cache"]
    needed = ([] if one.driver else joins) + (windows if one.needs_window and not one.driver else [])
    return _closed(one, {key: {"$ref": REF + key} for key in common}, needed)


def _closed(one: Connector, common: Schema, required: list[str]) -> Schema:
    own = options_schema(one)
    return {
        "title": one.name,
        **own,
        "properties": {"connector": True, **own["properties"], **common},
        "required": ["connector", *own["required"], *required],
    }


def _with_parameters(node: Any) -> Any:
    """The same schema where `${name}` may stand in any text, whatever it must look like else."""
    if not isinstance(node, dict):
        return node
    told = dict(node)
    for key in ("properties", "definitions"):
        if key in node:
            told[key] = {name: _with_parameters(part) for name, part in node[key].items()}
    for key in ("items", "additionalProperties", "then", "else"):
        if key in node:
            told[key] = _with_parameters(node[key])
    for key in ("allOf", "anyOf"):
        if key in node:
            told[key] = [_with_parameters(part) for part in node[key]]
    return _open(told)


def _open(node: Schema) -> Schema:
    words = [word for word in node.get("enum", ()) if isinstance(word, str)]
    if not words and "string" not in _list(node.get("type")):
        return node
    if "pattern" in node:
        return {**node, "pattern": f"{node['pattern']}|{PARAMETER}"}
    limits = {key: node[key] for key in ("enum", "enumDescriptions", "maxLength") if key in node}
    rest = {key: value for key, value in node.items() if key not in limits}
    return {**rest, "anyOf": [limits, {"type": "string", "pattern": PARAMETER}]} if limits else node


def _list(kind: Any) -> list[str]:
    return kind if isinstance(kind, list) else [kind]
