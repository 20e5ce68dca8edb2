"""From the word after `connector:` to the connector that an installed distribution offers under it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from plait.api import Connector, Hooks

GROUP = "plait"


@dataclass(frozen=True, slots=True)
class Offer:
    """A word that a distribution offers."""

    word: str
    distribution: str
    version: str
    module: str


class Unusable(Exception):
    """A word that gives no connector: unknown, offered twice, or its module is broken."""

    def __init__(self, code: str, message: str, note: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.note = code, message, note


@cache
def _points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def offers() -> list[Offer]:
    """Every word on offer, by word; a word may be there twice."""
    found = {_offer(point) for point in _points()}
    return sorted(found, key=lambda offer: (offer.word, offer.distribution))


def _offer(point: EntryPoint) -> Offer:
    name = point.dist.name if point.dist else "?"
    return Offer(point.name, name, point.dist.version if point.dist else "?", point.value)


@cache
def connector(word: str) -> Connector:
    """Load the connector of a word; raises Unusable. Two distributions with one word load neither."""
    found = [offer for offer in offers() if offer.word == word]
    if not found:
        raise Unusable("unknown-connector", f"no connector is called `{word}`")
    if len(found) > 1:
        names = " and ".join(f"`{o.distribution}` {o.version}" for o in found)
        raise Unusable("ambiguous-connector", f"two distributions offer `{word}`", f"offered by {names}")
    return _load(found[0])


def _load(offer: Offer) -> Connector:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    try:
        manager.load_setuptools_entrypoints(GROUP, offer.word)
        manager.check_pending()
        answers: list[list[Any]] = manager.hook.plait_connectors()
    except Exception as error:
        raise Unusable(
            "broken-connector",
            f"the connector `{offer.word}` could not be loaded: {type(error).__name__}: {str(error)[:200]}",
            f"from `{offer.distribution}` {offer.version}, module `{offer.module}`",
        ) from error
    for one in (one for answer in answers for one in answer):
        if isinstance(one, Connector) and one.name == offer.word:
            return one
    note = f"from `{offer.distribution}` {offer.version}"
    raise Unusable("broken-connector", f"the module of `{offer.word}` offers no connector of that name", note)
