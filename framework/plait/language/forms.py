"""Texts of a spec that have a form of their own: lengths of time, places in a record, partitions.

Each class reads one kind of text by `parse`, which raises SpecValueError, and says by `json_schema` how editors see it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self

from msgspec import Struct

from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.values.places import PLACE_PATTERN, Place

SECONDS_BY_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
OBJECT_FACTS = ("$object", "$modified", "$etag", "$position")
_FACT_LIST = ", ".join(f"`{fact}`" for fact in OBJECT_FACTS)
_OTHER_DURATION = re.compile(r"(?:PT?)?\s*([0-9]{1,9})\s*(?!ms)([A-Za-z]*)\Z")
_NUMBER = re.compile(r"[0-9]{1,10}\Z")
_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*\Z", re.DOTALL)
TIME_FUNCTIONS = ("date", "month", "hour")
_CALLS = {"date": "date(c)", "month": "month(c)", "hour": "hour(c)", "bucket": "bucket(16, c)"}
_WORDS_OF_OTHERS = {"day": "date", "days": "date", "months": "month", "hours": "hour", "hash": "bucket"}
_CALLS_HELP = "write `date(c)`, `month(c)`, `hour(c)`, `date(c, Europe/Madrid)`, `bucket(16, c)` or `c`"


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
        """Read `90s`, `15m`, `2h` or `7d`."""
        match = _OTHER_DURATION.match(text)
        unit = match[2][:1].lower() or "s" if match else ""
        if match and unit in SECONDS_BY_UNIT and text == f"{match[1]}{unit}":
            return cls(seconds=int(match[1]) * SECONDS_BY_UNIT[unit])
        help = "write a whole number and `s`, `m`, `h` or `d`"
        if match and unit in SECONDS_BY_UNIT:
            help = f"did you mean `{match[1]}{unit}`?"
        message = f"`{text[:40]}` is no length of time such as `90s`, `15m`, `2h` or `7d`"
        raise SpecValueError(message, code="wrong-duration", help=help)

    @classmethod
    def spelt(cls, value: object) -> str | None:
        """Say how a whole number of seconds is written; None for any other value."""
        return f"did you mean `{value}s`?" if type(value) is int and value >= 0 else None

    def __str__(self) -> str:
        """The length of time as a spec writes it."""
        return spell_duration(self)


def spell_duration(duration: timedelta) -> str:
    """Write a duration as a spec does, in the largest unit of which it is a whole number.

    >>> spell_duration(timedelta(seconds=90))
    '90s'
    """
    seconds = int(duration.total_seconds())
    units = (unit for unit in reversed(SECONDS_BY_UNIT) if seconds % SECONDS_BY_UNIT[unit] == 0)
    unit = next(units) if seconds else "s"
    return f"{seconds // SECONDS_BY_UNIT[unit]}{unit}"


class Selector(Place, frozen=True):
    """A place in a record such as `a.b[0]`, or a fact about the driving object such as `$modified`."""

    facts: ClassVar[tuple[str, ...]] = OBJECT_FACTS
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": rf"^\$(?:{'|'.join(fact[1:] for fact in OBJECT_FACTS)})$|{PLACE_PATTERN}",
        "patternErrorMessage": f'a place in a record is written `a.b[0]."c d"`, or is one of {_FACT_LIST}',
        "examples": ["customer.name", "tags[0]", *OBJECT_FACTS],
    }


class Partition(Struct, frozen=True, kw_only=True):
    """A partition column: a function of one output column."""

    name: str = ""
    function: Literal["date", "month", "hour", "bucket", "column"]
    column: str
    zone: str = "UTC"
    buckets: int = 0
    noun: ClassVar[str] = "a column, or a function of it"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": r"^(?:date|month|hour)\([^,]+(?:,[^,]+)?\)$|^bucket\(\s*[0-9]+\s*,[^,]+\)$|^[^()]+$",
        "patternErrorMessage": _CALLS_HELP,
        "examples": ["date(ordered_at)", "month(ordered_at)", "hour(ordered_at)", "bucket(16, customer_id)"],
    }

    def __str__(self) -> str:
        """The function as a spec writes it."""
        if self.function == "column":
            return self.column
        if self.function == "bucket":
            return f"bucket({self.buckets}, {self.column})"
        zone = "" if self.zone == "UTC" else f", {self.zone}"
        return f"{self.function}({self.column}{zone})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a column, `date(c)`, `date(c, Europe/Madrid)`, likewise `month` and `hour`, or `bucket(16, c)`."""
        call = _CALL.match(text)
        column = text.strip()
        if call is None and column and not {"(", ")"} & {*column}:
            return cls(function="column", column=column)
        word, arguments = (call[1], [part.strip() for part in call[2].split(",")]) if call else ("", [])
        if word in TIME_FUNCTIONS and len(arguments) in (1, 2) and all(arguments):
            column, zone = (*arguments, "UTC")[:2]
            return cls(function=word, column=column, zone=_checked_zone(zone))  # type: ignore[arg-type]
        number, column = arguments if len(arguments) == 2 else ("", "")
        if word == "bucket" and _NUMBER.match(number) and 0 < int(number) < 1 << 31 and column:
            return cls(function="bucket", column=column, buckets=int(number))
        if word in _CALLS:
            message = f"{excerpt(text.strip())} is not how `{word}` is written"
            raise SpecValueError(message, code="wrong-function", help=f"write `{_CALLS[word]}`")
        meant = _CALLS.get(_WORDS_OF_OTHERS.get(word.lower(), ""))
        help = f"did you mean `{meant}`?" if meant else _CALLS_HELP
        message = (
            f"no partition function is called {excerpt(word)}" if word else f"{excerpt(text)} is no column"
        )
        words = () if meant else tuple(_CALLS)
        raise SpecValueError(message, code="unknown-function", part=word or None, words=words, help=help)


class Zone(str):
    """The name of a time zone."""

    __slots__ = ()
    noun: ClassVar[str] = "the name of a time zone"
    json_schema: ClassVar[dict[str, Any]] = {"examples": ["Europe/Madrid", "UTC"]}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the name of a zone; raises SpecValueError."""
        return cls(_checked_zone(text))


def _checked_zone(text: str) -> str:
    """The name of a time zone without quotes; raises SpecValueError if no zone is called so."""
    zone = text.strip("\"'")
    if zone == "UTC":
        return zone
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(zone).key
    except (KeyError, ValueError, OSError):
        message, help = f"no time zone is called {excerpt(zone)}", "write a name such as `Europe/Madrid`"
        words = tuple(sorted(zoneinfo.available_timezones()))
        raise SpecValueError(
            message, code="unknown-zone", part=zone or None, words=words, help=help
        ) from None
