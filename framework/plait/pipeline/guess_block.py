"""The columns that were guessed of a source, and the block of YAML that declares them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.language.spec import Column

WORDS_OF_YAML = ("null", "true", "false")
PLAIN_TEXT = re.compile(r"[A-Za-z_][A-Za-z0-9_<>]*\Z")


class Guess(Struct):
    """The columns that a source seems to have, each with its evidence, and remarks on what was left out."""

    source: str
    columns: dict[str, tuple[Column, str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def lines(self, indent: str = "") -> Iterator[str]:
        """The block as lines of YAML, with the evidence as comments."""
        yield f"{indent}columns:" if self.columns else f"{indent}columns: {{}}"
        texts = [f"{indent}  {_as_yaml(column)}" for column, _ in self.columns.values()]
        width = min(max(map(len, texts), default=0), 80)
        for text, (_, evidence) in zip(texts, self.columns.values(), strict=True):
            yield f"{text:{width}}  # {_as_comment(evidence)}"
        yield from (f"{indent}  # {_as_comment(remark)}" for remark in self.remarks)


def block(guesses: Iterable[Guess]) -> str:
    """The `columns` of sources as a spec has them."""
    lines = ["sources:"]
    for guess in guesses:
        lines += [f"  {guess.source}:", *guess.lines("    ")]
    return "\n".join(lines)


def _as_yaml(column: Column) -> str:
    if column.origin == column.name:
        return f"{_text(column.name)}: {column.type}"
    return f"{_text(column.name)}: {{type: {_text(str(column.type))}, from: {_text(column.origin)}}}"


def _as_comment(text: str) -> str:
    """Names of fields may have characters that steer a terminal or end a line."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _text(text: str) -> str:
    """A text of YAML, in quotes where it would be something else without them."""
    if PLAIN_TEXT.match(text) and text.lower() not in WORDS_OF_YAML:
        return text
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(text, ensure_ascii=False))
