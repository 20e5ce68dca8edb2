"""The pattern of a free text, such as a log line, that names the fields in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from plait.problems.errors import SpecValueError
from plait.values.safe_regex import SPACES, Expression
from plait.values.templates import HOLE_PATTERN, STAR, STARS, split


@dataclass(frozen=True, slots=True)
class Pattern:
    """Free text to fields: `{name}` is one run of text without spaces, `*` is any text."""

    text: str
    expression: Expression
    noun: ClassVar[str] = "a pattern"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": rf"^(?:[^{{}}]|\{{\{{|\}}\}}|{HOLE_PATTERN})*{HOLE_PATTERN}(?:[^{{}}]|\{{\{{|\}}\}}|{HOLE_PATTERN})*$",
        "patternErrorMessage": "a pattern has at least one `{name}`, as in `order {id} scored {score}`",
        "examples": ["order {id} scored {score}"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern; raises SpecValueError if it names no field, or one field twice."""
        names: list[str] = []
        regex, stars = "(?s)", 0
        for part in split(text):
            if isinstance(part, str):
                regex += re.escape(part)
            elif part in (STAR, STARS):
                regex += ".*?"
                stars += 1
            elif part.name in names:
                message = f"`{{{part.name}}}` stands twice in the pattern"
                help = "give the second another name, or write `*`"
                raise SpecValueError(message, code="wrong-pattern", help=help)
            else:
                names.append(part.name)
                regex += f"(?P<{part.name}>[^{SPACES}]+)"
        if not names:
            message = "the pattern has no `{name}`, so it gives no field"
            help = "name what is wanted, as in `order {id} scored {score}`"
            raise SpecValueError(message, code="wrong-pattern", help=help)
        return cls(text, Expression(regex, tuple(names), stars + len(names)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return self.expression.names

    def match(self, line: str) -> dict[str, str] | None:
        """The fields of a line that matches from its beginning to its end, or None."""
        return self.expression.match(line)
