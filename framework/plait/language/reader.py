"""Read values of a document as annotations of structs say."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import msgspec

from plait.plugin import PlaitError
from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plait.language.source_map import KeyPath


@contextmanager
def at(path: KeyPath) -> Iterator[None]:
    """Raise any ValueError or PlaitError as a SpecValueError that knows the path."""
    try:
        yield
    except (ValueError, PlaitError) as error:
        if not isinstance(error, SpecValueError):
            message = str(error).partition(" - at `")[0]  # where msgspec appends a path of its own
            code, help = getattr(error, "code", "wrong-value"), getattr(error, "help", None)
            error = SpecValueError(message, code=code, help=help)
        error.path = path + error.path
        raise error from None


def read_struct(cls: type[msgspec.Struct], block: Mapping[str, Any], path: KeyPath) -> Any:
    """The struct of a block's values, without the keys that the struct does not have; raises SpecValueError."""
    arguments = {
        info.name: _read(block[info.encode_name], info.type, (*path, info.encode_name))
        for info in _fields(cls)
        if info.encode_name in block
    }
    with at(path):
        return cls(**arguments)


def _read(value: Any, annotation: Any, path: KeyPath) -> Any:
    """A value as the type of an annotation, in which a class with `parse` stands for text."""
    for member in _members(annotation):
        container, arguments, is_text = get_origin(member), get_args(member), hasattr(member, "parse")
        if isinstance(value, str) and is_text:
            with at(path):
                return member.parse(value)
        if isinstance(value, dict) and container is dict:
            return {key: _read(child, arguments[1], (*path, key)) for key, child in value.items()}
        if isinstance(value, list) and container is list:
            return [_read(child, arguments[0], (*path, n)) for n, child in enumerate(value)]
        is_struct = isinstance(member, type) and issubclass(member, msgspec.Struct) and not is_text
        if isinstance(value, dict) and is_struct:
            return read_struct(member, value, path)
    if isinstance(value, str):  # paths and patterns read this escape themselves
        value = value.replace("$${", "${")
    with at(path):
        return msgspec.convert(value, annotation)


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
