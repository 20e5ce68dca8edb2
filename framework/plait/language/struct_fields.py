"""What a struct asks of each of its keys, read from its annotations once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from plait.language.misplaced_keys import EXAMPLES
from plait.language.wording import flow_style

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Kind:
    """One annotation: `words` of a Literal, a type with `parse`, a nested struct, or a container's element."""

    annotation: Any
    nullable: bool = False
    words: tuple[str, ...] = ()
    parsed: Any = None
    struct: type[msgspec.Struct] | None = None
    container: type | None = None
    element: Kind | None = None


@dataclass(frozen=True, slots=True)
class StructField:
    """A key of a struct: its attribute's `name`, the `word` that a spec writes, and what belongs there."""

    name: str
    word: str
    kind: Kind
    required: bool
    description: str = ""
    pattern: str | None = None

    @property
    def help(self) -> str:
        """What to write, in the words of the struct's author."""
        if self.description and self.word in EXAMPLES:
            return f"{self.description}, as in `{self.example}`"
        return self.description or f"write `{self.example}`"

    @property
    def example(self) -> str:
        """The key with a value that fits, as YAML writes it."""
        return f"{self.word}: {flow_style(EXAMPLES[self.word]) if self.word in EXAMPLES else '…'}"


@cache
def fields_of(cls: type[msgspec.Struct]) -> Mapping[str, StructField]:
    """The keys of a struct by the words of a spec."""
    return {
        info.encode_name: StructField(
            name=info.name,
            word=info.encode_name,
            kind=kind_of_annotation(info.type),
            required=info.required,
            description=_meta(info.type, "description") or "",
            pattern=_meta(info.type, "pattern"),
        )
        for info in msgspec.structs.fields(cls)
    }


def kind_of_annotation(annotation: Any) -> Kind:
    """What values an annotation lets through."""
    members = _members(annotation)
    some = [one for one in members if one is not type(None)]
    container = next((one for one in some if get_origin(one) in (dict, list)), None)
    words = [word for one in some if get_origin(one) is Literal for word in get_args(one)]
    return Kind(
        annotation=annotation,
        nullable=type(None) in members,
        words=tuple(word for word in words if isinstance(word, str)) if len(some) == 1 else (),
        parsed=next((one for one in some if isinstance(one, type) and hasattr(one, "parse")), None),
        struct=some[0] if len(some) == 1 and _is_struct(some[0]) else None,
        container=get_origin(container),
        element=kind_of_annotation(get_args(container)[-1]) if container else None,
    )


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _members(annotation: Any) -> list[Any]:
    """The types that a union lists, each without its `Annotated`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [member for one in get_args(annotation) for member in _members(one)]
    return [annotation]


def _meta(annotation: Any, name: str) -> Any:
    """What the author of a struct wrote beside a field."""
    for meta in getattr(annotation, "__metadata__", ()):
        if found := getattr(meta, name, None):
            return found
    inner = get_args(annotation) if get_origin(annotation) in (Annotated, Union, UnionType) else ()
    return next((found for one in inner if (found := _meta(one, name))), None)
