"""A block of the spec meets its struct: every problem of the block, or the struct."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import msgspec

from plait.problems import Problem, excerpt
from plait.suggest import help_for, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.located import Located

Path = tuple[str | int, ...]
YAML_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}
EXPECTED = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
AT = re.compile(r" - at `(?:key in )?\$([^`]*)`\Z")


class Report:
    """The problems found so far, each at a place of the located spec."""

    def __init__(self, located: Located) -> None:
        self.located = located
        self.problems: list[Problem] = []

    def at_key(self, path: Path, code: str, message: str, **more: Any) -> None:
        """A problem of a key, or of what is missing below it."""
        self._add(self.located.key(path), code, message, more)

    def at(self, path: Path, code: str, message: str, **more: Any) -> None:
        """A problem of a value."""
        self._add(self.located.at(path), code, message, more)

    def _add(self, span: Any, code: str, message: str, more: dict[str, Any]) -> None:
        self.problems.append(Problem(code=code, message=message, file=self.located.file, span=span, **more))


def kind_of(value: Any) -> str:
    """What a YAML reader calls a value: text, a number, a list, a mapping."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the {'text' if isinstance(value, str) else 'number'} {excerpt(str(value))}"


def parsed_type(kind: Any) -> Any:
    """The type within an annotation that reads its value from text by `parse`, if there is one."""
    if isinstance(kind, type) and hasattr(kind, "parse"):
        return kind
    return next((found for one in get_args(kind) if (found := parsed_type(one))), None)


def _convert(value: Any, kind: Any) -> Any:
    parsed = parsed_type(kind)
    if parsed is None:
        return msgspec.convert(_plain(value), kind)
    if isinstance(value, parsed):
        return value
    if value is None and type(None) in _members(kind):
        return None
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {kind_of(value)}")
    return parsed.parse(value)


def _plain(value: Any) -> Any:
    """Text with `$${` as the `${` that it stands for; paths and patterns read it themselves."""
    return value.replace("$${", "${") if isinstance(value, str) else value


def _members(kind: Any) -> tuple[Any, ...]:
    return tuple(m for one in get_args(kind) for m in (one, *_members(one)))


def read(cls: type[msgspec.Struct], value: Any, path: Path, report: Report) -> Any:
    """The struct of a block, or None after reporting each of its problems."""
    if not isinstance(value, dict):
        report.at(path, "wrong-kind", f"expected a mapping, got {kind_of(value)}", help=_keys(cls))
        return None
    fields = {f.encode_name: f for f in msgspec.structs.fields(cls)}
    fine = _names(fields, value, path, report)
    given = {}
    for name in (n for n in fields if n in value):
        words = _words_of(fields[name].type)
        if words and isinstance(value[name], str) and value[name] not in words:
            fine = False
            message = f"{excerpt(value[name])} is no word for `{name}`"
            help = help_for(value[name], words, "word", None)
            report.at((*path, name), "wrong-value", message, help=help)
            continue
        before = len(report.problems)
        given[name] = _value(value[name], fields[name].type, (*path, name), report)
        fine = fine and len(report.problems) == before
    if not fine:
        return None
    return cls(**{fields[name].name: one for name, one in given.items()})


def _value(value: Any, kind: Any, path: Path, report: Report) -> Any:
    """One value in its type; in a mapping or list each entry on its own, so that each problem is told."""
    inner = next((one for one in (kind, *_members(kind)) if get_origin(one) in (dict, list)), None)
    if inner is not None and isinstance(value, get_origin(inner)):
        element = get_args(inner)[-1]
        if isinstance(value, dict):
            return {key: _value(one, element, (*path, key), report) for key, one in value.items()}
        return [_value(one, element, (*path, n), report) for n, one in enumerate(value)]
    try:
        return _convert(value, kind)
    except (msgspec.ValidationError, ValueError) as error:
        wrong(error, value, path, report)
        return None


def _keys(cls: type[msgspec.Struct]) -> str:
    names = [f.encode_name for f in msgspec.structs.fields(cls)]
    return "its keys are " + ", ".join(f"`{name}`" for name in names)


def _names(fields: Mapping[str, Any], value: dict[str, Any], path: Path, report: Report) -> bool:
    unknown = [name for name in value if name not in fields]
    missing = [name for name, f in fields.items() if f.required and name not in value]
    for name in unknown:
        free = [f for f in fields if f not in value]
        meant = nearest(str(name), missing) or nearest(str(name), free)
        if meant in missing:
            missing.remove(meant)
        help = f"did you mean `{meant}`?" if meant else help_for(str(name), free, "key", None)
        report.at_key((*path, name), "unknown-key", f"unknown key {excerpt(str(name))}", help=help)
    for name in missing:
        report.at_key(path, "missing-key", f"`{name}` is missing", help=description(fields[name].type))
    return not unknown and not missing


def _words_of(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [word for word in get_args(kind) if isinstance(word, str)]
    return [word for one in get_args(kind) for word in _words_of(one)]


def description(kind: Any) -> str | None:
    """The sentence that the author of a struct wrote beside a field."""
    for meta in getattr(kind, "__metadata__", ()):
        if getattr(meta, "description", None):
            return str(meta.description)
    return next((d for one in getattr(kind, "__args__", ()) if (d := description(one))), None)


def wrong(error: Exception, value: Any, path: Path, report: Report) -> None:
    """Put a conversion error of one value into words, at the value that is wrong."""
    text = str(error)
    steps: list[str | int] = []
    if found := AT.search(text):
        text = text[: found.start()]
        for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", found[1]):
            if name or index != "...":
                steps.append(name or int(index))
    for step in steps:
        value = value[step] if isinstance(value, (dict, list)) else value  # type: ignore[index]
    report.at((*path, *steps), *_words(text, value))


def _words(text: str, value: Any) -> tuple[str, str]:
    if found := EXPECTED.match(text):
        kinds = [YAML_WORDS.get(k.strip(), k.strip()) for k in found[1].split("|")]
        kinds = [k for k in kinds if k != "nothing"] or kinds
        return "wrong-kind", f"expected {' or '.join(kinds)}, got {kind_of(value)}"
    if text.startswith("Invalid enum value"):
        return "wrong-value", f"{excerpt(str(value))} is not one of the words allowed here"
    if text.startswith("Expected"):
        return "wrong-value", f"{excerpt(str(value))} does not fit: {text[0].lower()}{text[1:].rstrip('.')}"
    return "wrong-value", text
