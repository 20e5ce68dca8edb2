"""Describe YAML values in messages, and suggest corrections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.secrets import credential_key
from plait.language.yaml_writer import flow_yaml
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath

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
        if word in (*_TRUE_WORDS, *_FALSE_WORDS):
            return f"write `{str(word in _TRUE_WORDS).lower()}`"
        return "write `true` or `false`" if kinds == "true or false" else None
    if "text" in kinds and isinstance(value, (bool, int, float)):
        return "put it in quotes"
    if "number" in kinds and isinstance(value, str) and _NUMBER.match(value):
        return "leave out the quotes"
    if "list" in kinds and isinstance(value, str):
        return f"write {excerpt(flow_yaml(value.replace(',', ' ').split()))}"
    return None


def form_of(path: KeyPath, value: Any) -> str | None:
    """How a default, a parameter or a partition is written, made of what stands in its place."""
    block, key = path[0] if path else "", str(path[-1]) if path else ""
    if block == "sources" and key == "default" and value is None:
        return "leave it out for null"
    if value is None and path and path[-2:-1] == ("null",):
        return "put the word in quotes"
    if block == "parameters" and len(path) == 2 and isinstance(value, str):
        name = value.strip("${}")
        form = {"env": name}
        if not name.isidentifier() or (name == value and not name.isupper()):
            form = {"env": re.sub(r"\W", "_", key).upper()}
            form |= {} if credential_key(path) else {"default": value}
        return f"write `{flow_yaml({key: form})[1:-1]}`" if len(value) + len(key) < 100 else None
    if block == "partition_by":
        values = [key] if len(path) == 2 else value if isinstance(value, list) else [value]
        if values and isinstance(values[0], str) and values[0].isidentifier():
            pair = f"date: date({values[0][:40]})"
            return (
                f"say what it is made of, as in `{pair if len(path) == 2 else f'partition_by: {{{pair}}}'}`"
            )
    return None
