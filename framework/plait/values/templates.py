"""Texts with holes: literal text around `{name}`, `{name*}`, `*` and `**`, of which paths and patterns are made."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOKEN = re.compile(r"\{\{|\}\}|\$\$\{|\$\{[^}]*\}|\{([^{}]*)\}|\*\*|\*|[{}]")
HOLE_PATTERN = r"\{[A-Za-z_][A-Za-z0-9_]*\}"
WIDE_HOLE_PATTERN = HOLE_PATTERN.replace(r"\}", r"\*\}")
HOLE_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\*?)\Z")


class Hole(Struct, frozen=True):
    """A hole of a template: `{name}`, or `{name*}` which `takes_spaces`, or the unnamed `*`, `**` and `**/`."""

    name: str
    takes_spaces: bool = False

    def __str__(self) -> str:
        """The hole as a spec has it."""
        if self in UNNAMED:
            return self.name
        return f"{{{self.name}*}}" if self.takes_spaces else f"{{{self.name}}}"


STAR, STARS, FOLDERS = UNNAMED = Hole("*"), Hole("**"), Hole("**/")
Part = str | Hole


def split(text: str) -> tuple[Part, ...]:
    """Cut a template into literal texts and holes; `{{`, `}}` and `$${` stand for `{`, `}` and `${`.

    A parameter `${NAME}` stays literal text. Raises SpecValueError for a lone brace or a hole without a proper name.
    """
    parts: list[Part] = []
    literal, end = "", 0
    for token in TOKEN.finditer(text):
        literal += text[end : token.start()]
        end = token.end()
        part = _part(token)
        if isinstance(part, str):
            literal += part
            continue
        parts += [literal, part] if literal else [part]
        literal = ""
    literal += text[end:]
    return (*parts, literal) if literal else tuple(parts)


def _part(token: re.Match[str]) -> Part:
    """The hole or the literal text that a token of a template stands for."""
    word = token[0]
    if word in ("{{", "}}"):
        return word[0]
    if word == "$${":
        return "${"
    if word.startswith("${"):
        return word
    if word in ("*", "**"):
        return Hole(word)
    if token[1] is None:
        help = f"write `{word * 2}` for the character itself"
        raise SpecValueError(f"a lone `{word}`", code="wrong-braces", help=help, part=word)
    name = HOLE_NAME.match(token[1])
    if not name:
        message = f"`{word[:40]}` is no name in braces such as `{{transaction_id}}`"
        help = "write letters, digits and `_` between the braces, or `{{` and `}}` for the characters"
        raise SpecValueError(message, code="wrong-braces", help=help, part=word)
    return Hole(name[1], takes_spaces=bool(name[2]))


def check_neighbours(parts: Sequence[Part], has_clear_end: Callable[[Hole, Hole], bool]) -> None:
    """Raise SpecValueError for two holes side by side, unless the rules of the template tell where the first ends."""
    for left, right in pairwise(parts):
        if isinstance(left, str) or isinstance(right, str) or has_clear_end(left, right):
            continue
        message = f"`{left}` and `{right}` stand side by side, so that nothing tells where the first ends"
        help = f"write the text that stands between them, as in `{left}-{right}`"
        raise SpecValueError(message, code="adjacent-holes", help=help, part=f"{left}{right}")
