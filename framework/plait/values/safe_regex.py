"""Expressions for texts that anyone may have written: the time to match one grows as the text does, and no faster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

CHEAP = 1_000_000
SPACES = "".join(c for c in map(chr, range(0x3001)) if c.isspace())


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression that gives its named groups; `parts` is how many parts of it vary in length.

    RE2 takes linear time for any text. Python's own matcher is quicker for the short texts that are usual, and takes
    at most length to the power of parts: it is used where that is little, and `parts` says that it may be.
    """

    text: str
    names: tuple[str, ...]
    parts: int | None = None

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Read an expression in RE2's syntax; raises ValueError with RE2's own words."""
        return cls(text, tuple(_linear(text).groupindex))

    def match(self, text: str) -> dict[str, Any] | None:
        """The named groups of a text that matches as a whole, null where one took no part, or None."""
        quick = self.parts is not None and len(text) ** self.parts <= CHEAP
        try:
            found = (_quick if quick else _linear)(self.text).fullmatch(text)
        except UnicodeEncodeError:  # half of a surrogate pair: no UTF-8, and no file could hold it
            return None
        return found.groupdict() if found else None


@cache
def _quick(text: str) -> re.Pattern[str]:
    return re.compile(text)


@cache
def _linear(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0]
        text = told.decode() if isinstance(told, bytes) else str(told)
        raise ValueError(text.replace("perl operator", "operator")) from None
