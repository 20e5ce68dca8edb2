"""From a connector's options to JSON Schema."""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import msgspec

if TYPE_CHECKING:
    from plait.api import Connector


def options_schema(connector: Connector) -> dict[str, Any]:
    """The JSON Schema of a connector's options: a closed object; what a type reads by `parse` is text."""
    (schema,), parts = msgspec.json.schema_components(
        [_plain(connector.options)], schema_hook=_any, ref_template="#/$defs/{name}"
    )
    name = schema["$ref"].rpartition("/")[2]
    root: dict[str, Any] = {**parts.pop(name), "description": connector.summary}
    return {**root, "$defs": parts} if parts else root


def _plain(cls: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The same struct with text in the place of each type that has `parse`."""
    fields = [(f.encode_name, _text(f.type), _field(f)) for f in msgspec.structs.fields(cls)]
    return msgspec.defstruct(cls.__name__, fields, kw_only=True, forbid_unknown_fields=True)


def _field(info: msgspec.structs.FieldInfo) -> Any:
    if info.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=info.default_factory)
    if info.default is not msgspec.NODEFAULT and hasattr(type(info.default), "parse"):
        return str(getattr(info.default, "text", info.default))
    return msgspec.field(default=info.default) if info.default is not msgspec.NODEFAULT else msgspec.field()


def _text(kind: Any) -> Any:
    if isinstance(kind, type) and hasattr(kind, "parse"):
        return str
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _plain(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return Annotated[(_text(inner[0]), *inner[1:])]
    if origin in (Union, UnionType):
        return reduce(or_, map(_text, inner))
    return origin[tuple(map(_text, inner))] if origin in (list, tuple, dict, set, frozenset) else kind


def _any(_kind: type) -> dict[str, Any]:
    return {}
