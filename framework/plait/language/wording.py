"""What a value is called in messages, in YAML's words, and what to write in its place."""

from __future__ import annotations

import re
from typing import Any

from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt

YAML_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a mapping",
    "dict": "a mapping",
    "array": "a list",
    "null": "nothing",
}
EXPECTED = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
BOUND = re.compile(r"Expected `(\w+)` (of length )?(>=|<=|>|<|==) (\S+)")
AT = re.compile(r" - at `[^`]*`\Z")
BOUNDS = {">=": "at least ", "<=": "at most ", ">": "more than ", "<": "less than ", "==": ""}
TRUE, FALSE = ("yes", "on", "y", "true", "1"), ("no", "off", "n", "false", "0")
PLAIN = re.compile(r"[A-Za-z_./$][^\s:#,\[\]{}&*!|>'\"%@`]*\Z")
APART = re.compile(r"[^\s,]+")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")


def kind_of(value: Any) -> str:
    """What a YAML reader calls a value: text, a number, a list, a mapping."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the {'text' if isinstance(value, str) else 'number'} {excerpt(str(value))}"


def wrong_kind_error(kinds: str, value: Any, help: str | None = None) -> SpecValueError:
    """A value of the wrong kind, with what to write in its place."""
    message = f"expected {kinds}, got {kind_of(value)}"
    return SpecValueError(message, code="wrong-kind", help=help or correction(kinds, value))


def correction(kinds: str, value: Any) -> str | None:
    """How a value of one kind is written so that it is of another."""
    if "true or false" in kinds:
        word = str(value).lower()
        return (
            "write `true`"
            if word in TRUE
            else "write `false`"
            if word in FALSE
            else "write `true` or `false`"
        )
    if "text" in kinds and isinstance(value, (bool, int, float)):
        return "put it in quotes"
    if "number" in kinds and isinstance(value, str) and NUMBER.match(value):
        return "leave out the quotes"
    if "list" in kinds and isinstance(value, str):
        return f"write {excerpt(flow_style(re.findall(APART, value)))}"
    return None


def conversion_error(text: str, value: Any, help: str | None) -> SpecValueError:
    """What a conversion complains of, in our words."""
    text = AT.sub("", text)
    if found := EXPECTED.match(text):
        kinds = [YAML_WORDS.get(kind.strip(), kind.strip()) for kind in found[1].split("|")]
        error = wrong_kind_error(" or ".join([kind for kind in kinds if kind != "nothing"] or kinds), value)
        error.help = error.help or help
        return error
    if value == "":
        return SpecValueError("the text is empty", help=help)
    bound = BOUND.match(text)
    expected = f": expected {_bound(*bound.groups())}" if bound else ""
    return SpecValueError(f"{excerpt(value)} does not fit{expected}", help=help)


def _bound(kind: str, length: str | None, sign: str, limit: str) -> str:
    number = f"{BOUNDS[sign]}{limit}"
    if length is None:
        return f"{YAML_WORDS.get(kind, kind)} of {number}" if sign != "==" else number
    noun = "character" if kind == "str" else "entry" if limit == "1" else "entries"
    return f"{number} {noun}" + ("s" if noun == "character" and limit != "1" else "")


def flow_style(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow_style(key)}: {flow_style(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_style, value)) + "]"
    if isinstance(value, str):
        return value if PLAIN.match(value) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "null" if value is None else str(value).lower()
