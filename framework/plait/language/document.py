"""The values of a document: those of its parameters put in, and each as the annotation of its key says."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import msgspec

from plait.plugin import GiveUp, PlaitError
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plait.language.source_map import KeyPath

REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
PATH_PATTERN = re.compile(r"[{}*]")
ALLOWING_VARIABLE = "PLAIT_ENV_ALLOW"
PATH_OPTIONS = ("path", "quarantine", "log_group", "url")


def declared_parameters(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The blocks of the parameters by name."""
    blocks = document.get("parameters")
    blocks = blocks if isinstance(blocks, dict) else {}
    return {name: block for name, block in blocks.items() if isinstance(block, dict)}


def parameter_values(
    document: Mapping[str, Any], given: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    """The values by name: one of `given` goes before the environment, and that before the default."""
    values = {}
    for name, block in declared_parameters(document).items():
        variable, default = str(block.get("env", "")), block.get("default")
        value = given.get(name, environment.get(variable, default))
        if isinstance(value, str):
            values[name] = value
    return values


def allowed(environment: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, str]:
    """The variables that the caller allows to parameters: those `names`, and those that PLAIT_ENV_ALLOW lists."""
    listed = [name.strip() for name in environment.get(ALLOWING_VARIABLE, "").split(",")]
    return {name: environment[name] for name in (*names, *listed) if name in environment}


def refused_variables(
    document: Mapping[str, Any],
    given: Mapping[str, str],
    environment: Mapping[str, str],
    names: Iterable[str] = (),
) -> dict[str, str]:
    """The variables that are set and would give parameters their values, but are not allowed to, by the parameters' names."""
    refused = environment.keys() - allowed(environment, names).keys()
    variables = {name: str(block.get("env")) for name, block in declared_parameters(document).items()}
    return {
        name: variable for name, variable in variables.items() if variable in refused and name not in given
    }


def values_of_function(
    document: Mapping[str, Any], environment: Mapping[str, str], unusable: str
) -> dict[str, str]:
    """The values of all parameters by the environment of a function; raises GiveUp, whose message begins with `unusable`."""
    for name, variable in refused_variables(document, {}, environment).items():
        message = f"{unusable}: the parameter {excerpt(name)} may not read {excerpt(variable)}"
        help = f"name it in `{ALLOWING_VARIABLE}`, as the stack of `plait template` does"
        raise GiveUp(message, code="refused-variable", help=help)
    values = parameter_values(document, {}, allowed(environment))
    for name, block in declared_parameters(document).items():
        if name not in values:
            by_environment = "set its environment variable"
            help = by_environment if block.get("env") else "give it a default, and package again"
            message = f"{unusable}: the parameter {excerpt(name)} has no value"
            raise GiveUp(message, code="missing-parameter", help=help)
    return values


def check_parameter_values(
    document: Mapping[str, Any], values: Mapping[str, str]
) -> Iterator[SpecValueError]:
    """An error for each value that could change what the spec means: a reference, a pattern, or no path in a path."""
    in_paths = {name for path, _, name in references(document) if path[-1] in PATH_OPTIONS}
    for name, value in values.items():
        match = PATH_PATTERN.search(value)
        if "${" in value:
            message = "a parameter cannot be made of another one"
            help = "write the whole value, or put both where they are used"
            error = SpecValueError(message, code="parameter-value", help=help)
        elif match:
            message = f"the value of the parameter {excerpt(name)} has {excerpt(match[0])} in it"
            help = f"leave {excerpt(match[0])} to the places where the parameter is used"
            error = SpecValueError(message, code="parameter-value", help=help, part=match[0])
        elif name in in_paths and (not value or value.startswith("~")):
            what = "begins with `~`, which is a word of shells" if value else "is empty"
            message = f"the value of the parameter {excerpt(name)} {what}, and it stands in a path"
            help = "write the whole path of the folder, or `s3://bucket`"
            error = SpecValueError(message, code="parameter-value", help=help)
        else:
            continue
        error.path = ("parameters", name, "default")
        yield error


def references(document: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str, str | None]]:
    """Each `${name}` of the document's values: its path, the text, and the name; None where it is never closed."""
    for path, text in texts({key: value for key, value in document.items() if key != "parameters"}, ()):
        for match in REFERENCE.finditer(text):
            if match[0] != "$${":
                yield path, text, match[1]


def put_in(document: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The document with `${name}` replaced, except in keys and in the block `parameters`.

    In a path, a slash at the end of a value and one directly behind the parameter are one slash.
    """
    return {
        key: value if key == "parameters" else _replaced(value, values, key)
        for key, value in document.items()
    }


def _replaced(value: Any, values: Mapping[str, str], key: str | int) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(child, values, name) for name, child in value.items()}
    if isinstance(value, list):
        return [_replaced(child, values, key) for child in value]
    if not isinstance(value, str) or "${" not in value:
        return value

    def value_of(match: re.Match[str]) -> str:
        text = values.get(match[1] or "", match[0])
        return text.removesuffix("/") if key in PATH_OPTIONS and value[match.end() :][:1] == "/" else text

    return REFERENCE.sub(value_of, value)


def texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Each text within a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(child, (*path, step))


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
            parse = getattr(arguments[0], "parse", str)
            return {parse(key): _read(child, arguments[1], (*path, key)) for key, child in value.items()}
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
