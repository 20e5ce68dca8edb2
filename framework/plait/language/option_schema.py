"""From structs to JSON Schema, in the subset that editors read (draft-07)."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import msgspec

from plait.language.keys import Form

if TYPE_CHECKING:
    from plait.plugin import Connector

REF = "#/definitions/"
TOLD = ("type", "title", "description", "examples", "patternErrorMessage")


def options_schema(connector: Connector) -> dict[str, Any]:
    """The JSON Schema of a connector's options: a closed object; what a type reads by `parse` is text."""
    return {**struct_schema(connector.options), "description": connector.summary}


def struct_schema(cls: type[msgspec.Struct]) -> dict[str, Any]:
    """The closed object of a struct, whole in one place; where a key may be left out, null goes unsaid."""
    (schema,), parts = msgspec.json.schema_components(
        [_plain(cls, ())], schema_hook=_any, ref_template=REF + "{name}"
    )
    for part in parts.values():
        part.pop("title", None)
    found: dict[str, Any] = _inlined(schema, parts)
    return found


def _inlined(node: Any, parts: dict[str, Any]) -> Any:
    """The schema with each definition in the place of its name, and what stands beside the name kept."""
    if isinstance(node, list):
        return [_inlined(one, parts) for one in node]
    if not isinstance(node, dict):
        return node
    part = parts.get(str(node.get("$ref", "")).removeprefix(REF), {})
    beside = {key: value for key, value in node.items() if key != "$ref" or not part}
    return _merged({key: _inlined(value, parts) for key, value in {**part, **beside}.items()})


def _merged(node: dict[str, Any]) -> dict[str, Any]:
    """A choice between text and other kinds as one schema that means the same.

    So an editor marks the mistake within, not the choice, and begins such a key as text.
    """
    if not isinstance(node.get("anyOf"), list):
        return node
    kinds = [_words_as_pattern(kind) for kind in node["anyOf"]]
    others = [kind for kind in kinds if kind.get("type") != "string"]
    limits = [key for kind in others for key in kind if key not in TOLD]
    clear = all("type" in one for one in others) and len({*limits}) == len(limits)
    if not clear or len(others) + 1 != len(kinds):
        return node
    text = next(kind for kind in kinds if kind.get("type") == "string")
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    instead = {key: value for kind in others for key, value in kind.items() if key != "type"}
    choice = {"if": {"type": "string"}, "else": instead} if instead else {}
    return {**text, **rest, "type": [kind["type"] for kind in kinds], **choice}


def _words_as_pattern(kind: dict[str, Any]) -> dict[str, Any]:
    """A choice of words as text: `enum` would be asked of a mapping too."""
    words = kind.get("enum", [])
    if not words or not all(isinstance(word, str) for word in words):
        return kind
    listed = ", ".join(f"`{word}`" for word in words)
    pattern = f"^(?:{'|'.join(map(re.escape, words))})$"
    return {
        "type": "string",
        "pattern": pattern,
        "patternErrorMessage": f"one of {listed}",
        "examples": words,
    }


def _plain(cls: type[msgspec.Struct], within: tuple[type, ...]) -> type[msgspec.Struct]:
    """The same struct with what JSON Schema can tell of each field, and without null."""
    fields = [(f.encode_name, _told(f.type, (*within, cls)), _field(f)) for f in msgspec.structs.fields(cls)]
    return msgspec.defstruct(
        cls.__name__, fields, kw_only=True, forbid_unknown_fields=True, namespace={"__doc__": cls.__doc__}
    )


def _field(info: msgspec.structs.FieldInfo) -> Any:
    if info.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=info.default_factory)
    if info.default is None:
        return msgspec.UNSET
    if info.default is not msgspec.NODEFAULT and hasattr(type(info.default), "parse"):
        return str(getattr(info.default, "text", info.default))
    return msgspec.field(default=info.default) if info.default is not msgspec.NODEFAULT else msgspec.field()


def _told(kind: Any, within: tuple[type, ...]) -> Any:
    more = msgspec.Meta(extra_json_schema=getattr(kind, "json_schema", {}))
    if isinstance(kind, type) and hasattr(kind, "parse"):
        return Annotated[str, more]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return dict[str, Any] if kind in within else Annotated[_plain(kind, within), more]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        form = next((one.kind for one in inner[1:] if isinstance(one, Form)), inner[0])
        return Annotated[(_told(form, within), *inner[1:])]
    if origin in (Union, UnionType):
        return reduce(or_, (_told(one, within) for one in inner if one is not NoneType))
    if origin in (list, tuple, dict, set, frozenset):
        return origin[tuple(_told(one, within) for one in inner)]
    return kind


def _any(_kind: type) -> dict[str, Any]:
    return {}
