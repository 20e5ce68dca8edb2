"""Waiting for what comes later than the driving object: until when, and how that is told; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.plugin import TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from plait.language.spec import Source
    from plait.plugin import Item


class Late(TryAgain):
    """Look-ups have no match yet, and the object is young enough to wait; `note` tells until when."""

    code = "not-there-yet"

    def __init__(self, sources: Sequence[str], until: datetime) -> None:
        named = ", ".join(f"`{name}`" for name in sources)
        verb = "has" if len(sources) == 1 else "have"
        super().__init__(f"{named} {verb} no match yet", help="`plait run --no-wait` takes it as it is")
        self.note = f"waited for until {until:%Y-%m-%dT%H:%M:%SZ}"


def until(item: Item, source: Source) -> datetime | None:
    """When the wait of an object for a look-up ends; None where it does not wait or has no age."""
    limit = source.join.retry_for if source.join else None
    return later(item.modified, limit) if item.modified and limit else None


def late(item: Item, sources: Iterable[Source], now: datetime) -> Late | None:
    """Why an object without a match in these look-ups must come again, or None where no wait is left."""
    ends = {source.name: end for source in sources if (end := until(item, source)) and now < end}
    return Late([*ends], max(ends.values())) if ends else None


def later(moment: datetime, by: Any) -> datetime:
    """A moment and a duration, no later than time can tell."""
    high = moment.max.replace(tzinfo=moment.tzinfo)
    return moment + by if high - moment > by else high
