"""The JSON Schema of the language and of connectors' options, in the subset that editors read (draft-07)."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from plait.language.keys import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.plugin import Connector

Schema = dict[str, Any]
_DIALECT = "http://json-schema.org/draft-07/schema#"
_PARAMETER_OR_ESCAPE = r"\$\{"
_PARAMETER = rf"(?:^|[^$]){_PARAMETER_OR_ESCAPE}"
FORMS: dict[str, Any] = {}  # the types with `parse` by the `format` that stands for each in a schema
_OF_SOME_SOURCES = ("only", "join", "window")  # an editor suggests them where the connector takes them
_PLAIN_TYPES: dict[Any, Any] = {"string": str, "integer": int, "number": float, "array": list, "object": dict}


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
    sink_blocks = [
        (connector, _closed_block(connector, {"conditional": True}, []))
        for connector in by_name
        if connector.sink
    ]
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
    """A source with this connector, which refuses `only` if it cannot drive, `join` if it cannot look up and `window` if it has no time."""
    name, lookup = connector.name, connector.lookup
    common: Schema = {key: {"description": keys[key]["description"]} for key in _OF_SOME_SOURCES}
    if not lookup:
        common["join"] = _refused("not-a-lookup", f"`{name}` cannot be asked by keys, as a `join` does")
        common["window"] = _refused("not-for-a-driver", "a driver takes no `window`")
    elif lookup.order != "time":
        message = f"records of `{name}` have no time that a `window` could bound"
        common["window"] = _refused("window-without-time", message)
    if not connector.driver:
        common["only"] = _refused(
            "not-for-a-lookup", f"`{name}` cannot drive, and `only` chooses driving records"
        )
    required = [] if connector.driver else ["join"]
    common |= dict.fromkeys(("cache", "optional"), True)
    return _closed_block(connector, {"columns": True, "decode": True, **common}, required)


def _refused(code: str, message: str) -> Schema:
    """A key that is not taken, and why."""
    return {"not": {}, "code": code, "description": message, "doNotSuggest": True}


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
    for key, value in node.items():
        if key in ("items", "additionalProperties", "then", "else"):
            allowed[key] = _allow_parameters(value)
        elif key in ("allOf", "anyOf"):
            allowed[key] = [_allow_parameters(schema) for schema in value]
        elif key == "properties":
            allowed[key] = {name: _allow_parameters(schema) for name, schema in value.items()}
    kind = node.get("type")
    is_text = "string" in (kind if isinstance(kind, list) else [kind])
    if not is_text and not any(isinstance(word, str) for word in node.get("enum", ())):
        return allowed
    reference = _PARAMETER_OR_ESCAPE if "format" in node else _PARAMETER  # what has a form may escape
    if "pattern" in node:
        return {**allowed, "pattern": f"{node['pattern']}|{reference}"}
    limits = {key: allowed.pop(key) for key in ("enum", "enumDescriptions", "maxLength") if key in node}
    return {**allowed, "anyOf": [limits, {"type": "string", "pattern": reference}]} if limits else allowed


def struct_schema(cls: type[msgspec.Struct], within: tuple[type, ...] = ()) -> Schema:
    """The closed object of a struct; a struct `within` itself is an open mapping."""
    fields = msgspec.structs.fields(cls)
    return {
        "description": cls.__doc__ or "",
        "type": "object",
        "properties": {
            info.encode_name: {**_type_schema(info.type, (*within, cls)), **_default(info)} for info in fields
        },
        "required": [info.encode_name for info in fields if info.required],
        "additionalProperties": False,
        **getattr(cls, "json_schema", {}),
    }


def _default(info: msgspec.structs.FieldInfo) -> Schema:
    value = info.default if info.default_factory is msgspec.NODEFAULT else info.default_factory()
    is_form = hasattr(type(value), "parse")
    if value in (None, msgspec.UNSET, msgspec.NODEFAULT) or (
        isinstance(value, msgspec.Struct) and not is_form
    ):
        return {}
    return {"default": str(getattr(value, "text", value)) if is_form else msgspec.to_builtins(value)}


def _type_schema(annotation: Any, within: tuple[type, ...]) -> Schema:
    """The schema of a type, in which a class with `parse` is text and null is not mentioned."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and hasattr(annotation, "parse"):
        name = f"{annotation.__module__}.{annotation.__qualname__}"
        FORMS[name] = annotation
        return {"type": "string", **getattr(annotation, "json_schema", {}), "format": name}
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return {"type": "object"} if annotation in within else struct_schema(annotation, within)
    if origin is Annotated:
        schema = _type_schema(arguments[0], within)
        kind = schema.get("type")
        plain = _PLAIN_TYPES.get(kind[0] if isinstance(kind, list) else kind, Any)
        schema |= msgspec.json.schema(Annotated[(plain, *arguments[1:])]) | ({"type": kind} if kind else {})
        if "then" in schema:  # what is said of a word that is none has to stand beside the words
            schema["then"] = {**schema["then"], "description": schema["description"]}
        return schema
    if origin in (Literal, Union, UnionType, list, dict):
        return _generic_schema(origin, arguments, within)
    schema = msgspec.json.schema(annotation)
    return schema if "$ref" not in schema else {}


def _generic_schema(origin: Any, arguments: tuple[Any, ...], within: tuple[type, ...]) -> Schema:
    if origin is Literal:  # in the author's order; msgspec would sort them
        return {"type": "string" if isinstance(arguments[0], str) else "integer", "enum": [*arguments]}
    if origin is list:
        return _without_empty({"type": "array", "items": _type_schema(arguments[0], within)})
    if origin is dict:
        names, values = (_type_schema(argument, within) for argument in arguments)
        names.pop("type", None)
        return _without_empty({"type": "object", "propertyNames": names, "additionalProperties": values})
    members = [member for member in arguments if member not in (NoneType, msgspec.UnsetType)]
    return _choice([_type_schema(member, within) for member in members])


def _without_empty(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if value != {}}


def _choice(members: list[Schema]) -> Schema:
    """A choice between types; with text, as one schema that means the same.

    So an editor marks the mistake within a value, not the choice, and completes such a key as text.
    """
    kinds = [member.get("type") for member in members]
    if len(members) == 1 or "string" not in kinds or None in kinds or len({*kinds}) < len(kinds):
        return members[0] if len(members) == 1 else {"anyOf": members}
    text = {**members[kinds.index("string")], "type": kinds}
    words = {key: text.pop(key) for key in ("code", "enum") if key in text and "enum" in text}
    text |= {"examples": words["enum"]} if words else {}  # an editor completes these
    rest: Schema = {}
    for member in members:
        rest |= {key: member[key] for key in member if key != "type" and member["type"] != "string"}
    unless_text = {"if": {"type": "string"}, **_without_empty({"then": words, "else": rest})}
    return text | unless_text if words or rest else text
