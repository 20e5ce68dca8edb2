"""Describe YAML values in messages, and suggest corrections."""

from __future__ import annotations

import re
from typing import Any

from plait.language.scalars import scalar
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt

_YAML_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a mapping",
    "dict": "a mapping",
    "array": "a list",
    "null": "nothing",
}
_EXPECTED_TYPE = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_EXPECTED_BOUND = re.compile(r"Expected `(\w+)` (of length )?(>=|<=|>|<|==) (\S+)")
_POSITION = re.compile(r" - at `[^`]*`\Z")
_SIGN_WORDS = {">=": "at least ", "<=": "at most ", ">": "more than ", "<": "less than ", "==": ""}
_TRUE_WORDS, _FALSE_WORDS = ("yes", "on", "y", "true", "1"), ("no", "off", "n", "false", "0")
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_./$][^\s:#,\[\]{}&*!|>'\"%@`]*\Z")
_LIST_ITEM = re.compile(r"[^\s,]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")


def kind_of(value: Any) -> str:
    """Describe a value: the text or number that it is, a list, a mapping, nothing."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the {'text' if isinstance(value, str) else 'number'} {excerpt(str(value))}"


def wrong_kind_error(kinds: str, value: Any, help: str | None = None) -> SpecValueError:
    """The error of a value that is none of these kinds, with what to write instead."""
    message = f"expected {kinds}, got {kind_of(value)}"
    return SpecValueError(message, code="wrong-kind", help=help or correction(kinds, value))


def correction(kinds: str, value: Any) -> str | None:
    """How to write a value so that it is of one of these kinds; None if that is unclear."""
    if "true or false" in kinds:
        word = str(value).lower()
        return (
            "write `true`"
            if word in _TRUE_WORDS
            else "write `false`"
            if word in _FALSE_WORDS
            else "write `true` or `false`"
        )
    if "text" in kinds and isinstance(value, (bool, int, float)):
        return "put it in quotes"
    if "number" in kinds and isinstance(value, str) and _NUMBER.match(value):
        return "leave out the quotes"
    if "list" in kinds and isinstance(value, str):
        return f"write {excerpt(flow_style(re.findall(_LIST_ITEM, value)))}"
    return None


def conversion_error(text: str, value: Any, help: str | None) -> SpecValueError:
    """The error of a value that msgspec could not convert: its `text` in our words."""
    text = _POSITION.sub("", text)
    if match := _EXPECTED_TYPE.match(text):
        kinds = [_YAML_WORDS.get(kind.strip(), kind.strip()) for kind in match[1].split("|")]
        error = wrong_kind_error(" or ".join([kind for kind in kinds if kind != "nothing"] or kinds), value)
        error.help = error.help or help
        return error
    if value == "":
        return SpecValueError("the text is empty", help=help)
    bound = _EXPECTED_BOUND.match(text)
    expected = f": expected {_describe_bound(*bound.groups())}" if bound else ""
    return SpecValueError(f"{excerpt(value)} does not fit{expected}", help=help)


def _describe_bound(kind: str, length: str | None, sign: str, limit: str) -> str:
    number = f"{_SIGN_WORDS[sign]}{limit}"
    if length is None:
        return f"{_YAML_WORDS.get(kind, kind)} of {number}" if sign != "==" else number
    noun = "character" if kind == "str" else "entry" if limit == "1" else "entries"
    return f"{number} {noun}" + ("s" if noun == "character" and limit != "1" else "")


def _is_plain(text: str) -> bool:
    return _PLAIN_TEXT.match(text) is not None and isinstance(scalar(text), str)


def flow_style(value: Any) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{flow_style(key)}: {flow_style(child)}" for key, child in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_style, value)) + "]"
    if isinstance(value, str):
        return value if _is_plain(value) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "null" if value is None else str(value).lower()
