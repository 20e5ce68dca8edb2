"""Texts with holes, of which paths and patterns are made; expressions and patterns that match any text in linear time."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

from msgspec import Struct

from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOKEN = re.compile(r"\{\{|\}\}|\$\$\{|\$\{[^}]*\}|\{([^{}]*)\}|\*\*|\*|[{}]")
HOLE_PATTERN = r"\{[A-Za-z_][A-Za-z0-9_]*\}"
WIDE_HOLE_PATTERN = HOLE_PATTERN.replace(r"\}", r"\*\}")
HOLE_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\*?)\Z")
MAX_PYTHON_STEPS = 1_000_000
MAX_LENGTH = 500
# The characters that `str.isspace` takes, as ranges of an expression.
SPACES = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


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


class Expression(Struct, frozen=True):
    """A regular expression that gives its named groups.

    RE2 takes linear time for any text. Python's own matcher is faster for the short texts that are usual, and takes at
    most as many steps as the text's length to the power of `parts`, the number of parts that vary in length. It is used
    where that is a small number; where `parts` is None it is never used.
    """

    text: str
    names: tuple[str, ...]
    parts: int | None = None
    noun: ClassVar[str] = "an expression"
    json_schema: ClassVar[dict[str, Any]] = {"examples": ["(?P<id>[0-9]+): (?P<rest>.*)"]}

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Read an expression with named groups in RE2's syntax; raises SpecValueError if it is none."""
        if len(text) > MAX_LENGTH:
            message = f"the expression is longer than {MAX_LENGTH} characters"
            raise SpecValueError(message, code="wrong-regex", help="shorten it")
        names = tuple(compile_re2(text).groupindex)
        if not names:
            message = "the expression has no named group, so it gives no field"
            help = "name what is wanted, as in `(?P<id>[0-9]+)`"
            raise SpecValueError(message, code="wrong-regex", help=help)
        return cls(text, names)

    def match(self, text: str) -> dict[str, Any] | None:
        """The named groups of a text that matches from its beginning to its end, else None; a group may be None."""
        if self.parts is not None and len(text) ** self.parts <= MAX_PYTHON_STEPS:
            match = _compile_python(self.text).fullmatch(text)
            return match.groupdict() if match else None
        try:  # of bytes RE2 tells the groups in a third of the time that it takes for text
            match = compile_re2(self.text.encode()).fullmatch(text.encode())
        except UnicodeEncodeError:  # half of a surrogate pair: no UTF-8, and no file could hold it
            return None
        groups = match.groupdict().items() if match else ()
        return {n.decode(): None if g is None else g.decode() for n, g in groups} if match else None


@cache
def _compile_python(text: str) -> re.Pattern[str]:
    return re.compile(text)


@cache
def compile_re2(pattern: str | bytes) -> Any:
    """Compile an expression of RE2; raises SpecValueError with RE2's own words."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        message = f"the expression cannot be read: {reason.replace('perl operator', 'operator')[:80]}"
        help = "mend it; it is in RE2's syntax, which knows no look-around and no backreferences"
        raise SpecValueError(message, code="wrong-regex", help=help) from None


_LITERAL = r"(?:[^{}*]|\{\{|\}\})"
_NAMED = rf"(?:\*?{HOLE_PATTERN}\*?|{WIDE_HOLE_PATTERN})"


class Pattern(Struct, frozen=True):
    """Free text, such as a log line, to fields.

    `{name}` is at least one character without white space, `{name*}` at least one of any kind, `*` any text. Each takes,
    from left to right, the shortest text with which the rest still fits; `{name}` before a `*` takes its whole run.
    """

    text: str
    expression: Expression
    noun: ClassVar[str] = "a pattern"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": rf"^(?:(?:{_NAMED}|\*)?{_LITERAL})*{_NAMED}(?:{_LITERAL}(?:{_NAMED}|\*)?)*$",
        "patternErrorMessage": "a pattern has at least one `{name}`, as in `order {id} scored {score}`",
        "examples": ["order {id} scored {score}"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern; raises SpecValueError if it names no field, or one field twice, or holes stand side by side."""
        parts = [part for whole in split(text) for part in ([STAR, STAR] if whole == STARS else [whole])]
        check_neighbours(parts, _has_clear_end)
        names: list[str] = []
        for part in parts:
            if isinstance(part, str) or part in UNNAMED:
                continue
            if part.name in names:
                message = f"`{part}` stands twice in the pattern"
                help = "give the second another name, or write `*`"
                raise SpecValueError(message, code="wrong-pattern", help=help)
            names.append(part.name)
        if not names:
            message = "the pattern has no `{name}`, so it gives no field"
            help = "name what is wanted, as in `order {id} scored {score}`"
            raise SpecValueError(message, code="wrong-pattern", help=help)
        regex = "".join(
            _regex_of(*neighbours)
            for neighbours in zip((None, *parts), parts, (*parts[1:], None), strict=False)
        )
        return cls(
            text, Expression(f"(?s){regex}", tuple(names), sum(isinstance(part, Hole) for part in parts))
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return self.expression.names

    def match(self, line: str) -> dict[str, str] | None:
        """The fields of a line that matches from its beginning to its end, or None."""
        return self.expression.match(line)


def _has_clear_end(left: Hole, right: Hole) -> bool:
    """Whether two holes may stand side by side: `*{name}` and `{name}*`, where the name takes its whole run."""
    holes = {left, right} - {STAR}
    return len(holes) == 1 and not any(hole in UNNAMED or hole.takes_spaces for hole in holes)


def _regex_of(before: Part | None, part: Part, after: Part | None) -> str:
    """The expression of a part of a pattern between its neighbours."""
    if isinstance(part, str):
        return re.escape(part)
    if part != STAR:
        return f"(?P<{part.name}>{'.' if part.takes_spaces else f'[^{SPACES}]'}+?)"
    if not isinstance(before, Hole):
        return ".*?"
    may_be_empty = after is None or (isinstance(after, str) and after[0].isspace())
    return rf"(?:[{SPACES}].*?)??" if may_be_empty else rf"[{SPACES}].*?"
