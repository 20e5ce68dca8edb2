"""For a key that is unknown at its place: where it belongs, or which key was meant."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, nearest
from plait.values.types import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from plait.language.source_map import KeyPath


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_name("synonyms.toml").read_text("utf-8"))


def _rows_with(word: str, table: str) -> Iterator[str]:
    """The entries of a table that list a word."""
    return (row for row, words in _tables()[table].items() if word in words)


def likely_key(
    name: str, value: Any, unused: list[str], missing: Collection[str]
) -> tuple[str | None, str | None]:
    """The key that was likely meant by an unknown one, if there is one, and else where the key belongs."""
    near = nearest(name, unused, list(missing))
    if near is None or not edited_once(name, near):
        if help := help_for_misplaced(name, value):
            return None, help
        near = synonym(name, unused) or near
    return near, f"did you mean `{near}`?" if near else None


def synonym(name: str, unused: Collection[str]) -> str | None:
    """The key that other tools call `name`, if it is one of the `unused` keys."""
    keys = _rows_with(name.lower().replace("-", "_"), "synonyms")
    return next((key for key in keys if key in unused), None)


def help_for_misplaced(name: str, value: Any) -> str | None:
    """What to do about a key that does not belong at its place; None if the key is not known at all."""
    if isinstance(value, dict) and "connector" in value:
        return "if it is a source, indent it like the sources"
    place = next(_rows_with(name, "places"), None)
    if place is None and is_column(value):
        return "if it is a column, indent it below `columns`"
    return f"it belongs in {place}" if place else next(_rows_with(name.lower(), "removed"), None)


def is_column(value: Any) -> bool:
    """Whether a value is a type, or a mapping with one."""
    word = value.get("type") if isinstance(value, dict) else value
    try:
        return isinstance(word, str) and bool(parse(word))
    except SpecValueError:
        return False


def misplaced_blocks(document: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str, str]]:
    """The path, message and help of the first of the blocks that stand a line or an indentation beside their place."""
    sources, parameters = document.get("sources"), document.get("parameters")
    blocks = parameters.items() if isinstance(parameters, dict) else ()
    if name := next((name for name, block in blocks if _has_connector(block)), None):
        message = f"{excerpt(name)} is a source, and stands among the parameters"
        yield ("parameters", name), message, "write `sources:` above it"
    if not isinstance(sources, dict):
        return
    if isinstance(sources.get("connector"), str):
        message = "`connector` stands right below `sources`, without the name of a source"
        yield ("sources", "connector"), message, "write a name such as `orders:` above it"
        return
    above = None
    for name, block in sources.items():
        if above and name in ("join", "columns", "decode", "window") and not _has_connector(block):
            help = f"indent it below {excerpt(above)}"
            yield ("sources", name), f"{excerpt(name)} is indented as a source", help
        else:
            above = name
            yield from _columns_in_decode(name, block)


def _columns_in_decode(name: str, block: Any) -> Iterator[tuple[KeyPath, str, str]]:
    decode = block.get("decode") if isinstance(block, dict) and "columns" not in block else None
    fields = decode.items() if isinstance(decode, dict) else ()
    if field := next((field for field, steps in fields if is_column(steps)), None):
        message = f"{excerpt(field)} is a column, and stands among the decode steps"
        yield ("sources", name, "decode", field), message, "write `columns:` above it"


def _has_connector(block: Any) -> bool:
    return isinstance(block, dict) and "connector" in block
