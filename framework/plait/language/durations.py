"""Lengths of time as a spec writes them, such as `90s`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, ClassVar, Self

from plait.problems.errors import SpecValueError

SECONDS_BY_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)\Z")
_OTHER_SPELLING = re.compile(r"(?:PT?)?\s*(\d{1,9})\s*([A-Za-z]*)\Z")


class Duration(timedelta):
    """A length of time such as `90s`."""

    noun: ClassVar[str] = "a length of time"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": "^[0-9]{1,9}[smhd]$",
        "patternErrorMessage": "a duration is written `90s`, `15m`, `2h` or `7d`",
        "examples": ["90s", "15m", "2h", "7d"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `90s`, `15m`, `2h` or `7d`; raises SpecValueError for any other text."""
        match = _DURATION.match(text)
        if match is None:
            raise _not_a_duration(text)
        return cls(seconds=int(match[1]) * SECONDS_BY_UNIT[match[2]])

    @classmethod
    def spelt(cls, value: object) -> str | None:
        """Say how a number would be written as a duration; None for what is no whole number of seconds."""
        return f"did you mean `{value}s`?" if type(value) is int and value >= 0 else None


def _not_a_duration(text: str) -> SpecValueError:
    match = _OTHER_SPELLING.match(text)
    unit = (match[2][:1].lower() or "s") if match else ""
    understood = match and unit in SECONDS_BY_UNIT and match[2] != "ms"
    help = f"did you mean `{match[1]}{unit}`?" if match and understood else None
    return SpecValueError(
        f"`{text[:40]}` is no length of time such as `90s`, `15m`, `2h` or `7d`",
        code="wrong-duration",
        help=help or "write a whole number and `s`, `m`, `h` or `d`",
    )


def spell_duration(duration: timedelta) -> str:
    """Write a duration as a spec does, in the largest unit of which it is a whole number.

    >>> spell_duration(timedelta(seconds=90))
    '90s'
    """
    seconds = int(duration.total_seconds())
    unit = next(unit for unit in reversed(SECONDS_BY_UNIT) if seconds % SECONDS_BY_UNIT[unit] == 0)
    return f"{seconds // SECONDS_BY_UNIT[unit]}{unit}"
