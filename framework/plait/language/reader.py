"""Read values of a document as annotations of structs say, and keep the error of each that cannot be read."""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from plait.plugin import PlaitError
from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plait.language.source_map import KeyPath

Value = TypeVar("Value")


class Reader:
    """Reads values; `errors` has the error of each that cannot be read, with its path, and None stands in its place."""

    def __init__(self) -> None:
        self.errors: list[SpecValueError] = []

    def call(self, path: KeyPath, read: Callable[..., Value], *arguments: Any) -> Value | None:
        """What `read` makes of the arguments; None if it raises ValueError or PlaitError, which is kept."""
        try:
            return read(*arguments)
        except (ValueError, PlaitError) as error:
            self.add(error, path)
            return None

    def add(self, error: ValueError | PlaitError, path: KeyPath) -> None:
        """Keep the error of a value."""
        if not isinstance(error, SpecValueError):
            message = str(error).partition(" - at `")[0]  # where msgspec appends a path of its own
            code, help = getattr(error, "code", "wrong-value"), getattr(error, "help", None)
            error = SpecValueError(message, code=code, help=help)
        error.path = path + error.path
        self.errors.append(error)

    def struct(self, cls: type[msgspec.Struct], block: Mapping[str, Any], path: KeyPath) -> Any:
        """The struct of a block's values; keys that the struct does not have are left out."""
        count = len(self.errors)
        arguments = {
            info.name: self.value(block[info.encode_name], info.type, (*path, info.encode_name))
            for info in _fields(cls)
            if info.encode_name in block
        }
        return self.call(path, lambda: cls(**arguments)) if len(self.errors) == count else None

    def value(self, value: Any, annotation: Any, path: KeyPath) -> Any:
        """A value as the type of an annotation, in which a class with `parse` stands for text."""
        for member in _members(annotation):
            container, arguments = get_origin(member), get_args(member)
            is_text = hasattr(member, "parse")
            if isinstance(value, str) and is_text:
                return self.call(path, member.parse, value)
            is_struct = not is_text and isinstance(member, type) and issubclass(member, msgspec.Struct)
            if isinstance(value, dict) and is_struct:
                return self.struct(member, value, path)
            if isinstance(value, dict) and container is dict:
                return {key: self.value(child, arguments[1], (*path, key)) for key, child in value.items()}
            if isinstance(value, list) and container is list:
                return [self.value(child, arguments[0], (*path, n)) for n, child in enumerate(value)]
        if isinstance(value, str):  # paths and patterns read this escape themselves
            value = value.replace("$${", "${")
        return self.call(path, msgspec.convert, value, annotation)


@cache
def _fields(cls: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a struct, whose annotations msgspec evaluates anew at each call."""
    return msgspec.structs.fields(cls)


def _members(annotation: Any) -> list[Any]:
    """The types that a union lists, each without its `Annotated`."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [member for argument in get_args(annotation) for member in _members(argument)]
    return [annotation]
