"""Read the values of a document as their annotations say, and remember each text that does not parse."""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from plait.plugin import PlaitError
from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plait.language.source_map import KeyPath

Value = TypeVar("Value")
OWN_PACKAGES = ("plait", "plait_connectors")


class UnreadableTexts(ValueError):
    """Texts of a document do not parse: `errors` are a SpecValueError for each, with its path."""

    def __init__(self, errors: list[SpecValueError]) -> None:
        super().__init__("; ".join(f"{error.code}: {error}" for error in errors[:5]))
        self.errors = errors


class Reader:
    """Reads values, and keeps the error of each that cannot be read; None stands in its place."""

    def __init__(self) -> None:
        self.errors: list[SpecValueError] = []

    def call(self, path: KeyPath, read: Callable[..., Value], *arguments: Any) -> Value | None:
        """What `read` makes of the arguments; None where it raises ValueError or PlaitError, which is kept."""
        try:
            return read(*arguments)
        except (ValueError, PlaitError) as error:
            self.errors.append(_spec_error(error, path))
            return None

    def struct(self, cls: type[msgspec.Struct], block: Mapping[str, Any], path: KeyPath) -> Any:
        """The struct of a block's values; keys that the struct does not have are left out."""
        count = len(self.errors)
        arguments = {
            info.name: self.value(block[info.encode_name], info.type, (*path, info.encode_name))
            for info in _fields(cls)
            if info.encode_name in block
        }
        return self.call(path, _make, cls, arguments) if len(self.errors) == count else None

    def value(self, value: Any, annotation: Any, path: KeyPath) -> Any:
        """A value as the type of an annotation, in which a class with `parse` stands for text."""
        members = _members(annotation)
        if value is None and NoneType in members:
            return None
        for member in members:
            if isinstance(value, str) and hasattr(member, "parse"):
                return self.call(path, member.parse, value)
            if isinstance(value, dict) and isinstance(member, type) and issubclass(member, msgspec.Struct):
                return self.struct(member, value, path)
            container, arguments = get_origin(member), get_args(member)
            if container is dict and isinstance(value, dict):
                return {key: self.value(child, arguments[1], (*path, key)) for key, child in value.items()}
            if container is list and isinstance(value, list):
                return [self.value(child, arguments[0], (*path, n)) for n, child in enumerate(value)]
        return self.call(path, msgspec.convert, _unescape(value), annotation)


@cache
def _fields(cls: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a struct, whose annotations msgspec evaluates anew at each call."""
    return msgspec.structs.fields(cls)


def _spec_error(error: ValueError | PlaitError, path: KeyPath) -> SpecValueError:
    """The error of a value at a path, with msgspec's own words where it could not convert the value."""
    message = str(error).partition(" - at `")[0] if isinstance(error, msgspec.ValidationError) else str(error)
    code, help = getattr(error, "code", "wrong-value"), getattr(error, "help", None)
    error = error if isinstance(error, SpecValueError) else SpecValueError(message, code=code, help=help)
    error.path = path + error.path
    return error


def _make(cls: type[msgspec.Struct], arguments: dict[str, Any]) -> msgspec.Struct:
    """The struct; raises SpecValueError where a connector's own code fails on the arguments."""
    try:
        return cls(**arguments)
    except ValueError:
        raise
    except (Exception, SystemExit) as error:
        if cls.__module__.partition(".")[0] in OWN_PACKAGES:
            raise
        message = f"the connector's options cannot be made: {type(error).__name__[:40]}"
        help = "`plait connectors` tells more"
        broken = SpecValueError(message, code="broken-connector", help=help)
        broken.path = ("connector",)
        raise broken from error


def _members(annotation: Any) -> list[Any]:
    """The types that a union lists, each without its `Annotated`."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [member for argument in get_args(annotation) for member in _members(argument)]
    return [annotation]


def _unescape(value: Any) -> Any:
    """A text with `${` in place of `$${`; paths and patterns do this themselves."""
    return value.replace("$${", "${") if isinstance(value, str) else value
