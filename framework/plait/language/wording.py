"""Describe YAML values in messages, and suggest corrections."""

from __future__ import annotations

import re
from typing import Any

from plait.language.yaml_writer import flow_yaml
from plait.problems.problem import excerpt

_TRUE_WORDS, _FALSE_WORDS = ("yes", "on", "y", "true", "1"), ("no", "off", "n", "false", "0")
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
        meant = "write `false`" if word in _FALSE_WORDS else "write `true` or `false`"
        return "write `true`" if word in _TRUE_WORDS else meant
    if "text" in kinds and isinstance(value, (bool, int, float)):
        return "put it in quotes"
    if "number" in kinds and isinstance(value, str) and _NUMBER.match(value):
        return "leave out the quotes"
    if "list" in kinds and isinstance(value, str):
        return f"write {excerpt(flow_yaml(value.replace(',', ' ').split()))}"
    return None
