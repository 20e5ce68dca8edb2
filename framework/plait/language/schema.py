"""The JSON Schema of the language and of connectors' options, in the subset that editors read (draft-07)."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from plait.language.column_keys import Form
from plait.language.keys import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.plugin import Connector

Schema = dict[str, Any]
_DIALECT = "http://json-schema.org/draft-07/schema#"
_DEFINITIONS = "#/definitions/"
_PARAMETER_OR_ESCAPE = r"\$\{"
_PARAMETER = rf"(?:^|[^$]){_PARAMETER_OR_ESCAPE}"
_STRUCT_SCHEMAS: dict[
    str, Schema
] = {}  # what a struct says of its schema, which msgspec leaves out of choices
FORMS: dict[str, Any] = {}  # the types with `parse` by the `format` that stands for each in a schema
_OF_SOME_SOURCES = ("join", "window")  # an editor suggests them where the connector takes them
_ANNOTATIONS = ("type", "title", "description", "examples", "patternErrorMessage")


def language_schema(connectors: Iterable[Connector]) -> Schema:
    """The schema of a spec that may use these connectors; each block is closed once its connector is known."""
    by_name = sorted(connectors, key=lambda connector: connector.name)
    document = struct_schema(Document)
    keys = document["properties"]
    sources, sink = keys["sources"]["additionalProperties"], keys["sink"]
    source_blocks = [
        (connector, _source_block(connector, sources["properties"]))
        for connector in by_name
        if connector.driver or connector.lookup
    ]
    keys["sources"]["additionalProperties"] = _block_by_connector(sources, source_blocks)
    sink_blocks = [(connector, _closed_block(connector, {}, [])) for connector in by_name if connector.sink]
    keys["sink"] = _block_by_connector(sink, sink_blocks)
    declared = keys.pop("parameters")
    schema: Schema = _allow_parameters({"$schema": _DIALECT, **document})
    schema["properties"]["parameters"] = declared
    return schema


def options_schema(connector: Connector) -> Schema:
    """The schema of a connector's options: a closed object, in which a type with `parse` is text."""
    return {**struct_schema(connector.options), "description": connector.summary}


def _block_by_connector(common: Schema, blocks: list[tuple[Connector, Schema]]) -> Schema:
    """A block with the common keys, whose further keys are those of the connector that it names."""
    names = {
        "enum": [connector.name for connector, _ in blocks],
        "enumDescriptions": [connector.summary for connector, _ in blocks],
    }
    keys = common["properties"]
    return {
        **{key: value for key, value in common.items() if key != "additionalProperties"},
        "properties": {
            **keys,
            "connector": {**keys["connector"], **names},
            **{key: {**keys[key], "doNotSuggest": True} for key in _OF_SOME_SOURCES if key in keys},
        },
        "allOf": [
            {
                "if": {
                    "properties": {"connector": {"const": connector.name}},
                    "required": ["connector"],
                },
                "then": block,
            }
            for connector, block in blocks
        ],
    }


def _source_block(connector: Connector, keys: Schema) -> Schema:
    """A source with this connector: without `join` if it cannot look up, without `window` if it has no time."""
    join = ["join"] if connector.lookup else []
    window = ["window"] if connector.lookup and connector.lookup.order == "time" else []
    required = [] if connector.driver else join
    needs_window = connector.lookup and connector.lookup.needs_window and not connector.driver
    required = required + (window if needs_window else [])
    common: Schema = dict.fromkeys(("columns", "decode", *join, *window, "cache"), True)
    suggested = {key: {"description": keys[key]["description"]} for key in _OF_SOME_SOURCES if key in common}
    return _closed_block(connector, common | suggested, required)


def _closed_block(connector: Connector, common: Schema, required: list[str]) -> Schema:
    """A block with the connector's options and the common keys, which are described beside it."""
    options = options_schema(connector)
    return {
        "title": connector.name,
        **options,
        "properties": {"connector": True, **options["properties"], **common},
        "required": [*options["required"], *required],
    }


def _allow_parameters(node: Any) -> Any:
    """The same schema, where any text may hold `${name}` whatever it must look like otherwise."""
    if not isinstance(node, dict):
        return node
    allowed = dict(node)
    if "properties" in node:
        allowed["properties"] = {name: _allow_parameters(key) for name, key in node["properties"].items()}
    for key in ("items", "additionalProperties", "then", "else"):
        if key in node:
            allowed[key] = _allow_parameters(node[key])
    for key in ("allOf", "anyOf"):
        if key in node:
            allowed[key] = [_allow_parameters(schema) for schema in node[key]]
    return _allow_parameter_as_text(allowed)


def _allow_parameter_as_text(node: Schema) -> Schema:
    kind = node.get("type")
    is_text = "string" in (kind if isinstance(kind, list) else [kind])
    if not is_text and not any(isinstance(word, str) for word in node.get("enum", ())):
        return node
    reference = _PARAMETER_OR_ESCAPE if "format" in node else _PARAMETER  # what has a form may escape
    if "pattern" in node:
        return {**node, "pattern": f"{node['pattern']}|{reference}"}
    limits = {key: node[key] for key in ("enum", "enumDescriptions", "maxLength") if key in node}
    if not limits:
        return node
    others = {key: value for key, value in node.items() if key not in limits}
    return {**others, "anyOf": [limits, {"type": "string", "pattern": reference}]}


def struct_schema(cls: type[msgspec.Struct]) -> Schema:
    """The closed object of a struct without references; of a key that may be left out, null is not mentioned."""
    (reference,), definitions = msgspec.json.schema_components(
        [_plain_struct(cls, ())], schema_hook=lambda _type: {}, ref_template=_DEFINITIONS + "{name}"
    )
    for definition in definitions.values():
        definition.update(_STRUCT_SCHEMAS.get(definition.pop("title", ""), {}))
    schema: Schema = _inline(reference, definitions)
    return schema


def _inline(node: Any, definitions: Schema) -> Any:
    """The schema with each definition in place of the reference to it, together with the keys beside that."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    definition = definitions.get(str(node.get("$ref", "")).removeprefix(_DEFINITIONS), {})
    beside = {key: value for key, value in node.items() if key != "$ref" or not definition}
    inlined = {key: _inline(value, definitions) for key, value in {**definition, **beside}.items()}
    words = inlined.pop("words", None)
    return _merge_choice({**inlined, "enum": words} if isinstance(words, list) else inlined)


def _merge_choice(node: Schema) -> Schema:
    """A choice between text and other types as one schema that means the same.

    So an editor marks the mistake within a value, not the choice, and completes such a key as text.
    """
    if not isinstance(node.get("anyOf"), list):
        return node
    choices = [_words_as_pattern(choice) for choice in node["anyOf"]]
    others = [choice for choice in choices if choice.get("type") != "string"]
    limits = [key for choice in others for key in choice if key not in _ANNOTATIONS]
    are_separate = all("type" in choice for choice in others) and len({*limits}) == len(limits)
    if not are_separate or len(others) + 1 != len(choices):
        return node
    text = next(choice for choice in choices if choice.get("type") == "string")
    beside = {key: value for key, value in node.items() if key != "anyOf"}
    rest = {key: value for choice in others for key, value in choice.items() if key != "type"}
    unless_text = {"if": {"type": "string"}, "else": rest} if rest else {}
    return {**text, **beside, "type": [choice["type"] for choice in choices], **unless_text}


def _words_as_pattern(choice: Schema) -> Schema:
    """A choice of words as text with a pattern; `enum` would be required of a mapping too."""
    words = choice.get("enum", [])
    if not words or not all(isinstance(word, str) for word in words):
        return choice
    listed = ", ".join(f"`{word}`" for word in words)
    pattern = f"^(?:{'|'.join(map(re.escape, words))})$"
    others = {key: value for key, value in choice.items() if key != "enum"}
    return {
        "pattern": pattern,
        "patternErrorMessage": f"one of {listed}",
        "examples": words,
        "code": "wrong-word",
        **others,
    }


def _plain_struct(cls: type[msgspec.Struct], within: tuple[type, ...]) -> type[msgspec.Struct]:
    """The struct with only types that msgspec has a schema for, and without null."""
    fields = [
        (info.encode_name, _plain_type(info.type, (*within, cls)), _plain_default(info))
        for info in msgspec.structs.fields(cls)
    ]
    _STRUCT_SCHEMAS[cls.__name__] = getattr(cls, "json_schema", {})
    return msgspec.defstruct(
        cls.__name__, fields, kw_only=True, forbid_unknown_fields=True, namespace={"__doc__": cls.__doc__}
    )


def _plain_default(info: msgspec.structs.FieldInfo) -> Any:
    if info.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=info.default_factory)
    if info.default is None:
        return msgspec.UNSET
    if info.default is not msgspec.NODEFAULT and hasattr(type(info.default), "parse"):
        return str(getattr(info.default, "text", info.default))
    return msgspec.field(default=info.default) if info.default is not msgspec.NODEFAULT else msgspec.field()


def _plain_type(annotation: Any, within: tuple[type, ...]) -> Any:
    """The type as msgspec has a schema for it; a struct `within` itself is an open mapping."""
    if isinstance(annotation, type) and hasattr(annotation, "parse"):
        return _plain_form(annotation)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return dict[str, Any] if annotation in within else _plain_struct(annotation, within)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        # In the author's order; msgspec would sort them.
        kind = {"type": "string"} if isinstance(arguments[0], str) else {"type": "integer"}
        return Annotated[annotation, msgspec.Meta(extra_json_schema={**kind, "words": [*arguments]})]
    if origin is Annotated:
        forms = (meta.type for meta in arguments[1:] if isinstance(meta, Form))
        return Annotated[(_plain_type(next(forms, arguments[0]), within), *arguments[1:])]
    if origin in (Union, UnionType):
        members = (_plain_type(member, within) for member in arguments if member is not NoneType)
        return reduce(or_, members)
    containers = (list, tuple, dict, set, frozenset)
    plain = tuple(_plain_type(argument, within) for argument in arguments) if origin in containers else ()
    return origin[plain] if plain else annotation


def _plain_form(form: Any) -> Any:
    """A type with `parse` as text, whose `format` is the name by which the type is found in FORMS."""
    name = f"{form.__module__}.{form.__qualname__}"
    FORMS[name] = form
    schema = {**getattr(form, "json_schema", {}), "format": name}
    return Annotated[str, msgspec.Meta(extra_json_schema=schema)]
