"""Read times as ISO 8601 writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plait.values.conversion_error import conversion_error, wrong_kind

if TYPE_CHECKING:
    from plait.values.types import Type

DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,30}))?)?\s?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?\Z",
    re.ASCII,
)

EPOCH_HELP = "decode the field by `{epoch: s}`, `ms`, `us` or `ns`"
SPELLING_HELP = "decode another spelling than that of ISO 8601 by `{time: FORMAT}`"


def utc(moment: datetime) -> datetime:
    """A time in UTC, which is the zone of one that has none; raises ConversionError."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise conversion_error("{} is in UTC no time of the years 1 to 9999", moment) from None


def parse_timestamp(text: str, kind: Type) -> datetime:
    """The time, UTC, of a text by ISO 8601; digits beyond the microsecond are cut, and no zone means UTC.

    Raises ConversionError, which names the type.
    """
    return utc(iso_moment(text, kind))


def iso_moment(text: str, kind: Type) -> datetime:
    """The time of a text by ISO 8601, with a zone if it has one; raises ConversionError, which names the type."""
    match = TIMESTAMP.match(_extended(text))
    if not match:
        is_count = text.isdigit() and len(text) > len("20260701")
        raise wrong_kind(text, kind, EPOCH_HELP if is_count else SPELLING_HELP if text else None)
    day, minute, second, fraction, zone = match.groups()
    if zone in ("Z", "z", "UTC"):
        zone = "+00:00"
    elif zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:] or '00'}"
    time = f"{day}T{minute}:{second or '00'}.{(fraction or '0')[:6]:0<6}{zone or ''}"
    try:
        return datetime.fromisoformat(time)
    except ValueError:
        raise wrong_kind(text, kind) from None


def _extended(text: str) -> str:
    """A date as its midnight, and the basic form of a time, `20260701T120000Z`, with its signs."""
    if DATE.match(text):
        return f"{text}T00:00"
    if text[8:9] not in ("T", "t") or not text[:8].isdigit():
        return text
    seconds = f":{text[13:]}" if text[13:15].isdigit() else text[13:]
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[9:11]}:{text[11:13]}{seconds}"
