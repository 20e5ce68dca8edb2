"""Read times that are written in another way than by ISO 8601, by a format in the words of `strptime`, or without a zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, ClassVar, Self

from msgspec import Struct

from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.values.conversion_error import conversion_error
from plait.values.iso_times import iso_moment, utc
from plait.values.types import Type

# What each directive says of a time, and the most digits that it has; of each kind a format has one.
NUMBERS = {"Y": 4, "y": 2, "m": 2, "d": 2, "j": 3, "H": 2, "I": 2, "M": 2, "S": 2}
KINDS = {
    "Y": "year",
    "y": "year",
    "m": "month",
    "b": "month",
    "B": "month",
    "d": "day",
    "j": "day",
    "H": "hour",
    "I": "hour",
    "p": "half of the day",
    "M": "minute",
    "S": "second",
    "f": "fraction",
    "z": "zone",
    "Z": "zone",
    "a": "day of the week",
    "A": "day of the week",
}
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
NAMES = {
    "B": MONTHS,
    "b": [name[:3] for name in MONTHS],
    "A": WEEKDAYS,
    "a": [name[:3] for name in WEEKDAYS],
    "p": ["am", "pm"],
}
ZONE = "Z|UTC|GMT|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
OF_OTHERS = {
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "F": "%Y-%m-%d",
    "D": "%m/%d/%y",
    "e": "%d",
    "h": "%b",
    "L": "%f",
    "N": "%f",
}
HELP = "the directives are `%Y %y %m %b %B %d %j %H %I %p %M %S %f %z %Z %a %A %%`"
FIRST_YEAR = 69  # of the 1900s, as POSIX reads two digits


class TimeFormat(Struct, frozen=True):
    """How a time is written: `iso`, or a format that is an expression; `zone` is where a time without a zone is read."""

    text: str
    expression: re.Pattern[str] | None
    zone: str | None = None
    noun: ClassVar[str] = "`iso` or a format of times"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": "^iso$|%",
        "patternErrorMessage": "`iso`, or a format in the words of strptime, such as `%d/%m/%Y %H:%M`",
        "examples": ["iso", "%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z"],
        "code": "wrong-step",
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `iso` or a format that has a whole date; raises SpecValueError."""
        return cls(text, None if text == "iso" else _expression(text))

    @property
    def is_date(self) -> bool:
        """Whether the texts are dates, with no time of the day."""
        has = self.expression.groupindex if self.expression else {"H": 0}
        return not self.zone and not any(letter in has for letter in "HIMSfzZ")

    @property
    def has_zone(self) -> bool:
        """Whether each text has a zone."""
        return self.expression is not None and not {*"zZ"}.isdisjoint(self.expression.groupindex)

    def read(self, text: str) -> date:
        """The time of a text in UTC, or its date; raises ConversionError."""
        if self.expression is None:
            return self._in_utc(iso_moment(text, Type("timestamp")))
        match = self.expression.match(text)
        try:
            moment = _moment(match.groupdict()) if match else None
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise conversion_error(
                f"{{}} is no time as {excerpt(self.text)} writes it",
                text,
                "write the format that its texts have",
            )
        return moment.date() if self.is_date else self._in_utc(moment)

    def _in_utc(self, moment: datetime) -> datetime:
        return utc(_local(moment, self.zone) if self.zone and moment.tzinfo is None else moment)


def _expression(text: str) -> re.Pattern[str]:
    """The expression of a format: numbers side by side have all their digits, others may lack a zero."""
    parts = re.findall(r"%.?|\s+|[^%\s]", text, re.DOTALL)
    expression, first = "", dict[str, str]()
    for before, part, behind in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        letter = part[1:]
        if part[0] != "%" or letter == "%":
            expression += r"\s+" if part.isspace() else re.escape(part[-1])
            continue
        kind = KINDS.get(letter)
        if kind is None:
            help = f"write `{OF_OTHERS[letter]}`" if letter in OF_OTHERS else HELP
            raise SpecValueError(
                f"{excerpt(part)} is no directive that is taken", code="wrong-step", part=part, help=help
            )
        if kind in first:
            message = f"{excerpt(text)} has the {kind} twice, `{first[kind]}` and `{part}`"
            raise SpecValueError(message, code="wrong-step", part=part, help="leave out one of them")
        first[kind] = part
        is_tight = _is_number(before[-1:], before) or _is_number(behind[:1], behind)
        expression += (
            f"(?P<{letter}>{_directive(letter, is_tight=is_tight, ends=not _is_number(behind[:1], behind))})"
        )
    missing = next((kind for kind in ("year", "month", "day") if kind not in first), None)
    if missing and not (missing == "month" and first.get("day") == "%j"):
        message = f"{excerpt(text)} has no {missing}, so it writes no date"
        help = "write it in the words of strptime, as in `%Y-%m-%d %H:%M:%S`"
        raise SpecValueError(message, code="wrong-step", help=help)
    if ("half of the day" in first) != (first.get("hour") == "%I"):
        message = "`%I` and `%p` belong together: an hour of twelve, and its half of the day"
        raise SpecValueError(message, code="wrong-step", help="write `%H` for an hour of 24")
    return re.compile(rf"(?:{expression})\Z", re.ASCII)


def _is_number(character: str, part: str) -> bool:
    return character.isdigit() or part[1:] in NUMBERS or part == "%f"


def _directive(letter: str, *, is_tight: bool, ends: bool) -> str:
    """The expression of a directive; names are English, in letters of any case."""
    if letter in NAMES:
        return f"(?i:{'|'.join(NAMES[letter])})"
    if letter in "zZ":
        return ZONE
    if letter == "f":
        return "[0-9]{1,30}" if ends else "[0-9]{6}"
    digits = NUMBERS[letter]
    return f"[0-9]{{{digits}}}" if is_tight or letter in "Yy" else f"[0-9]{{1,{digits}}}"


def _moment(texts: dict[str, str]) -> datetime:
    """The time that the texts of the directives say, with a zone if one does; raises ValueError."""
    names = {letter: NAMES[letter].index(text.lower()) for letter, text in texts.items() if letter in NAMES}
    number = {letter: int(text) for letter, text in texts.items() if letter in NUMBERS}
    year = number["Y"] if "Y" in number else number["y"] + (1900 if number["y"] >= FIRST_YEAR else 2000)
    if "j" in number:
        day = date(year, 1, 1) + timedelta(number["j"] - 1)
    else:
        month = number["m"] if "m" in number else names.get("b", names.get("B", 0)) + 1
        day = date(year, month, number["d"])
    weekday = names.get("a", names.get("A", day.weekday()))
    if day.year != year or weekday != day.weekday() or not 1 <= number.get("I", 1) <= 12:
        raise ValueError
    hour = number["I"] % 12 + 12 * names["p"] if "I" in number else number.get("H", 0)
    fraction = int(texts.get("f", "0")[:6].ljust(6, "0"))
    time = hour, number.get("M", 0), number.get("S", 0), fraction
    return datetime(day.year, day.month, day.day, *time, tzinfo=_offset(texts.get("z", texts.get("Z"))))


def _offset(text: str | None) -> timezone | None:
    if text is None or text[0] not in "+-":
        return UTC if text else None
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or "0"))
    return timezone(-offset if text[0] == "-" else offset)


def _local(moment: datetime, zone: str) -> datetime:
    """A time as the clocks of a zone show it; raises ConversionError if a change of the clocks leaves it out, or has it twice."""
    from zoneinfo import ZoneInfo

    before, behind = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if before.utcoffset() == behind.utcoffset():
        return before
    is_twice = before.astimezone(UTC).astimezone(before.tzinfo).replace(tzinfo=None) == moment
    what = (
        f"is there twice in {zone}, where clocks are set back"
        if is_twice
        else f"is not there in {zone}, where clocks are set forward"
    )
    raise conversion_error(f"{{}} {what}", moment, "have its source write the offset too, or the time in UTC")
