"""The kinds of value and of key that the tests try and `pipelines/VALUES.md` lists: `tests/data/kinds`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integration.values.cells import WORDS, Kind
from kit.tables import table


@dataclass(frozen=True)
class KeyKind:
    """A key of a type, as `tests/data/kinds/keys.yaml` explains it."""

    type: str
    value: Any
    equal: list[str]
    other: list[str]
    path: str | None
    attribute: dict[str, Any] | None
    in_mysql: int


def kind(*, name: str = "", text: str | None = None, source: Any = None, **fits: Any) -> Kind:
    """A row of a table: `whole`, `fraction` and `every type` each stand for several types."""
    types: dict[str, Any] = {} if text is None else {"string": text}
    for word, value in fits.items():
        if word == "every type":
            types |= dict.fromkeys(WORDS)
        elif word in ("whole", "fraction"):
            types |= {"bigint": value} if word == "whole" else {}
            types |= {"decimal(38,10)": Decimal(value), "double": float(value)}
        else:
            types[word] = value
    return Kind(name, source if text is None else text, types)


def kinds(name: str) -> list[Kind]:
    """The rows of a table."""
    return [kind(**row) for row in table(f"kinds/{name}.yaml")]


NAMES = ("text", "json", "no_json", "csv", "no_csv", "memory", "mysql", "dynamodb")
KINDS = {name: kinds(name) for name in NAMES}
KEYS = [KeyKind(**row) for row in table("kinds/keys.yaml")]
