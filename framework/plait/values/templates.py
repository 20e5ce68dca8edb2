"""Texts with holes: literal text around `{name}`, `*` and `**`, of which paths and message patterns are made."""

from __future__ import annotations

import re

from msgspec import Struct

from plait.problems.errors import SpecValueError

TOKEN = re.compile(r"\{\{|\}\}|\$\$\{|\$\{[^}]*\}|\{([^{}]*)\}|\*\*|\*|[{}]")
HOLE_PATTERN = r"\{[A-Za-z_][A-Za-z0-9_]*\}"
HOLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Hole(Struct, frozen=True):
    """A `{name}`, `*` or `**` of a template."""

    name: str


STAR, STARS = Hole("*"), Hole("**")
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
    if not HOLE_NAME.match(token[1]):
        message = f"`{word[:40]}` is no name in braces such as `{{transaction_id}}`"
        help = "write letters, digits and `_` between the braces, or `{{` and `}}` for the characters"
        raise SpecValueError(message, code="wrong-braces", help=help, part=word)
    return Hole(token[1])
