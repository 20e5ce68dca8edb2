"""The keys that a struct accepts, read from its annotations; cached by class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from plait.language.drafts.misplaced_keys import EXAMPLES
from plait.language.wording import flow_style

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Kind:
    """The values that an annotation accepts.

    `words` are those of a Literal, `parsed` is a type with `parse`, `struct` a nested struct, `container` dict or list,
    and `element` the kind of its values.
    """

    annotation: Any
    nullable: bool = False
    words: tuple[str, ...] = ()
    parsed: Any = None
    struct: type[msgspec.Struct] | None = None
    container: type | None = None
    element: Kind | None = None


@dataclass(frozen=True, slots=True)
class StructField:
    """A key of a struct: the attribute's `name`, the `word` that a spec writes, and the kind of its value."""

    name: str
    word: str
    kind: Kind
    required: bool
    description: str = ""
    pattern: str | None = None

    @property
    def help(self) -> str:
        """What to write: the description by the struct's author, or an example."""
        if self.description and self.word in EXAMPLES:
            return f"{self.description}, as in `{self.example}`"
        return self.description or f"write `{self.example}`"

    @property
    def example(self) -> str:
        """The key with a fitting value, as YAML."""
        return f"{self.word}: {flow_style(EXAMPLES[self.word]) if self.word in EXAMPLES else '…'}"


@cache
def fields_of(cls: type[msgspec.Struct]) -> Mapping[str, StructField]:
    """The keys of a struct, by the words that a spec writes."""
    return {
        info.encode_name: StructField(
            name=info.name,
            word=info.encode_name,
            kind=_kind(info.type),
            required=info.required,
            description=_metadata(info.type, "description") or "",
            pattern=_metadata(info.type, "pattern"),
        )
        for info in msgspec.structs.fields(cls)
    }


def _kind(annotation: Any) -> Kind:
    """The values that an annotation accepts."""
    members = _members(annotation)
    others = [member for member in members if member is not type(None)]
    container = next((member for member in others if get_origin(member) in (dict, list)), None)
    literals = [member for member in others if get_origin(member) is Literal]
    words = [word for literal in literals for word in get_args(literal)]
    return Kind(
        annotation=annotation,
        nullable=type(None) in members,
        words=tuple(word for word in words if isinstance(word, str)) if len(others) == 1 else (),
        parsed=next((type_ for type_ in others if isinstance(type_, type) and hasattr(type_, "parse")), None),
        struct=others[0] if len(others) == 1 and _is_struct(others[0]) else None,
        container=get_origin(container),
        element=_kind(get_args(container)[-1]) if container else None,
    )


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _members(annotation: Any) -> list[Any]:
    """The types that a union lists, each without its `Annotated`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [member for argument in get_args(annotation) for member in _members(argument)]
    return [annotation]


def _metadata(annotation: Any, name: str) -> Any:
    """An attribute of the `Meta` beside a field; the outermost one that has it."""
    for meta in getattr(annotation, "__metadata__", ()):
        if value := getattr(meta, name, None):
            return value
    inner = get_args(annotation) if get_origin(annotation) in (Annotated, Union, UnionType) else ()
    return next((value for argument in inner if (value := _metadata(argument, name))), None)
