"""Show values, rows and findings in messages, shortened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from plait.testing.cases.yaml_text import flow_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.testing.cases.case import Finding

VALUE_LENGTH, ROW_LENGTH = 40, 100


def show_finding(finding: Finding) -> str:
    """A finding as messages show it: its code, the end of its object's address, and its message."""
    code = finding.code and f"`{finding.code}`"
    where = finding.object and f"of `{finding.object.rsplit('/', 1)[-1][-VALUE_LENGTH:]}`"
    subject = " ".join(part for part in (code, where) if part)
    message = _shorten(finding.message or "", limit=80)
    return ": ".join(part for part in (subject, message) if part) or "any"


def show_steps(steps: Iterable[str | int]) -> str:
    """A place in a row as a spec spells it: `items[0].sku`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return f"`{text.removeprefix('.')}`"


def show_value(value: Any) -> str:
    """A value as messages show it, text in quotes."""
    if isinstance(value, str):
        return f'"{value}"'
    return flow_yaml(value).strip('"') if isinstance(value, (bytes, date, datetime)) else flow_yaml(value)


def show_pair(expected: Any, actual: Any) -> tuple[str, str]:
    """Two values, shown from shortly before the first difference if they are long."""
    expected_text, actual_text = show_value(expected), show_value(actual)
    if type(expected) is not type(actual) and expected_text == actual_text:
        return f"{expected_text} ({type(expected).__name__})", f"{actual_text} ({type(actual).__name__})"
    equal = sum(1 for _ in _common_start(expected_text, actual_text))
    skip = (
        max(0, equal - VALUE_LENGTH // 2) if max(len(expected_text), len(actual_text)) > VALUE_LENGTH else 0
    )
    return _shorten(expected_text, skip), _shorten(actual_text, skip)


def show_row(value: Any) -> str:
    """A row, or the elements of a list, shortened."""
    if isinstance(value, Mapping):
        cells = [f"{name}: {_shorten(show_value(cell))}" for name, cell in islice(value.items(), 12)]
        return "{" + _shorten(", ".join(cells), limit=ROW_LENGTH) + "}"
    elements = [_shorten(flow_yaml(element), limit=60) for element in value]
    return "[" + _shorten(", ".join(elements), limit=ROW_LENGTH) + "]"


def _common_start(text: str, other_text: str) -> Iterator[str]:
    for character, other in zip(text, other_text, strict=False):
        if character != other:
            return
        yield character


def _shorten(text: str, skip: int = 0, limit: int = VALUE_LENGTH) -> str:
    """At most `limit` characters of a text after the first `skip`, with `…` for what is left out."""
    shown = text[skip : skip + limit]
    return ("…" if skip else "") + shown + ("…" if skip + limit < len(text) else "")
