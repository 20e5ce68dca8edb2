"""Describe YAML values in messages, and suggest corrections."""

from __future__ import annotations

import re
from typing import Any

from plait.language.text import scalar
from plait.problems.problem import excerpt

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
