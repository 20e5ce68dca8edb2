"""Regular expressions that match any text in linear time, so that no text and no expression can keep plait busy."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from msgspec import Struct

MAX_PYTHON_STEPS = 1_000_000
SPACES = "".join(c for c in map(chr, range(0x3001)) if c.isspace())


class Expression(Struct, frozen=True):
    """A regular expression that gives its named groups.

    RE2 takes linear time for any text. Python's own matcher is faster for the short texts that are usual, and takes at
    most as many steps as the text's length to the power of `parts`, the number of parts that vary in length. It is used
    where that is a small number; where `parts` is None it is never used.
    """

    text: str
    names: tuple[str, ...]
    parts: int | None = None

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Read an expression in RE2's syntax; raises ValueError with RE2's own words."""
        return cls(text, tuple(_compile_re2(text).groupindex))

    def match(self, text: str) -> dict[str, Any] | None:
        """The named groups of a text that matches from its beginning to its end, else None; a group may be None."""
        use_python = self.parts is not None and len(text) ** self.parts <= MAX_PYTHON_STEPS
        try:
            match = (_compile_python if use_python else _compile_re2)(self.text).fullmatch(text)
        except UnicodeEncodeError:  # half of a surrogate pair: no UTF-8, and no file could hold it
            return None
        return match.groupdict() if match else None


@cache
def _compile_python(text: str) -> re.Pattern[str]:
    return re.compile(text)


@cache
def _compile_re2(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        message = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValueError(message.replace("perl operator", "operator")) from None
