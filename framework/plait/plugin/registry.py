"""From the word after `connector:` to the connector that an installed distribution offers under it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from plait.plugin.contract import Connector, Hooks
from plait.plugin.isolation import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

GROUP = OURS = "plait"
_pinned: list[Offer] = []


@dataclass(frozen=True, slots=True)
class Offer:
    """A word that a distribution offers."""

    word: str
    distribution: str
    version: str
    module: str


class ConnectorUnavailable(Exception):
    """A word that gives no connector: unknown, offered twice, or its module is broken."""

    def __init__(self, code: str, message: str, note: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.note = code, message, note


@cache
def _points() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUP))


def pin(known: Iterable[Offer]) -> None:
    """From now on only these words are on offer, as a package's lock names them; nothing is searched."""
    _pinned[:] = known
    connector.cache_clear()


def offers() -> list[Offer]:
    """Every word on offer, by word; a word may be there twice."""
    if _pinned:
        return _pinned
    found = {_offer(point) for point in _points()}
    return sorted(found, key=lambda offer: (offer.word, offer.distribution))


def _offer(point: EntryPoint) -> Offer:
    name = point.dist.name if point.dist else "?"
    return Offer(point.name, name, point.dist.version if point.dist else "?", point.value)


@cache
def connector(word: str) -> Connector:
    """Load the connector of a word; raises ConnectorUnavailable. Two distributions with one word load neither."""
    return _load(offer_of(word))


def offer_of(word: str) -> Offer:
    """The one offer of a word; raises ConnectorUnavailable."""
    found = [offer for offer in offers() if offer.word == word]
    if not found:
        raise ConnectorUnavailable("unknown-connector", f"no connector is called `{word}`")
    if len(found) > 1:
        names = " and ".join(f"`{o.distribution}` {o.version}" for o in found)
        raise ConnectorUnavailable(
            "ambiguous-connector", f"two distributions offer `{word}`", f"offered by {names}"
        )
    return found[0]


def _load(offer: Offer) -> Connector:
    whose = f"`{offer.distribution}` {offer.version}"
    try:
        answers = [import_module(offer.module).plait_connectors()] if _pinned else _asked(offer.word)
        found = [one for answer in answers for one in answer]
    except (Exception, SystemExit) as error:
        said = " ".join(str(error).split())[:200]
        raise ConnectorUnavailable(
            "broken-connector",
            f"the connector `{offer.word}` could not be loaded: {type(error).__name__}: {said}",
            f"from {whose}, module `{offer.module}`",
        ) from error
    for one in found:
        if isinstance(one, Connector) and one.name == offer.word:
            return one if offer.distribution == OURS else guarded(one, whose)
    message = f"the module of `{offer.word}` offers no connector of that name"
    raise ConnectorUnavailable("broken-connector", message, f"from {whose}")


def _asked(word: str) -> list[list[Any]]:
    """What the hook answers of the module that an entry point names."""
    import pluggy

    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.load_setuptools_entrypoints(GROUP, word)
    manager.check_pending()
    answers: list[list[Any]] = manager.hook.plait_connectors()
    return answers
