"""Decide whether and how long an object waits for a look-up that has no match yet; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.plugin import TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from plait.language.spec import Source
    from plait.plugin import Item


class Late(TryAgain):
    """The object must come again: a look-up has no match and its `retry_for` has not passed.

    `note` says until when the object waits.
    """

    code = "not-there-yet"

    def __init__(self, sources: Sequence[str], until: datetime) -> None:
        names = ", ".join(f"`{name}`" for name in sources)
        verb = "has" if len(sources) == 1 else "have"
        super().__init__(f"{names} {verb} no match yet", help="`plait run --no-wait` takes it as it is")
        self.note = f"waited for until {until:%Y-%m-%dT%H:%M:%SZ}"


def wait_ends(item: Item, source: Source) -> datetime | None:
    """When an object stops waiting for a look-up; None if it does not wait, or its age is unknown."""
    limit = source.join.retry_for if source.join else None
    return _later(item.modified, limit) if item.modified and limit else None


def why_late(item: Item, sources: Iterable[Source], now: datetime) -> Late | None:
    """The error by which an object without a match in these look-ups comes again; None if its wait is over."""
    ends = {source.name: end for source in sources if (end := wait_ends(item, source)) and now < end}
    return Late([*ends], max(ends.values())) if ends else None


def _later(moment: datetime, duration: timedelta) -> datetime:
    """A time plus a duration, at most the last time that a datetime can be."""
    last = moment.max.replace(tzinfo=moment.tzinfo)
    return moment + duration if last - moment > duration else last
