"""Decide how long an object waits for a look-up that has no match yet, and say so; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.plugin import TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from plait.language.spec import Source
    from plait.plugin import Item


class Late(TryAgain):
    """Look-ups have no match yet, and the object is young enough to wait; `note` says until when."""

    code = "not-there-yet"

    def __init__(self, sources: Sequence[str], until: datetime) -> None:
        names = ", ".join(f"`{name}`" for name in sources)
        verb = "has" if len(sources) == 1 else "have"
        super().__init__(f"{names} {verb} no match yet", help="`plait run --no-wait` takes it as it is")
        self.note = f"waited for until {until:%Y-%m-%dT%H:%M:%SZ}"


def wait_ends(item: Item, source: Source) -> datetime | None:
    """When the wait of an object for a look-up ends; None where it does not wait or has no age."""
    limit = source.join.retry_for if source.join else None
    return _later(item.modified, limit) if item.modified and limit else None


def why_late(item: Item, sources: Iterable[Source], now: datetime) -> Late | None:
    """Why an object without a match in these look-ups must come again, or None where its wait is over."""
    ends = {source.name: end for source in sources if (end := wait_ends(item, source)) and now < end}
    return Late([*ends], max(ends.values())) if ends else None


def _later(moment: datetime, duration: timedelta) -> datetime:
    """The moment that a duration leads to, or the last moment that a datetime can be."""
    last = moment.max.replace(tzinfo=moment.tzinfo)
    return moment + duration if last - moment > duration else last
