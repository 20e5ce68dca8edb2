"""Find the connector of a word, which an installed distribution offers by an entry point of the group `plait`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from plait.plugin.hooks import Hooks
from plait.plugin.roles import Connector, ContractViolation, Driver, Lookup, Sink

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = OURS = "plait"
_pinned: list[Offer] = []


class Offer(Struct, frozen=True):
    """A word, and the distribution and module that offer a connector under it."""

    word: str
    distribution: str
    version: str
    module: str


class ConnectorUnavailable(Exception):
    """A word has no usable connector: it is unknown, it is offered twice, or its module is broken."""

    def __init__(self, code: str, message: str, note: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.note = code, message, note


@cache
def _entry_points() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUP))


def pin(offers: Iterable[Offer]) -> None:
    """Offer only these words from now on, as a package's lock names them, instead of searching for entry points."""
    _pinned[:] = offers
    connector.cache_clear()


def offers() -> list[Offer]:
    """Return every offer, sorted by word; two distributions may offer the same word."""
    return _pinned or _installed_offers()


@cache
def _installed_offers() -> list[Offer]:
    offers = {_offer(entry_point) for entry_point in _entry_points()}
    return sorted(offers, key=lambda offer: (offer.word, offer.distribution))


def _offer(entry_point: EntryPoint) -> Offer:
    metadata = entry_point.dist.metadata if entry_point.dist else {"Name": "?", "Version": "?"}
    return Offer(entry_point.name, metadata["Name"], metadata["Version"], entry_point.value)


@cache
def connector(word: str) -> Connector:
    """Load the connector of a word; raises ConnectorUnavailable. A word that is offered twice loads neither module."""
    return _load(offer_of(word))


def offer_of(word: str) -> Offer:
    """Return the only offer of a word; raises ConnectorUnavailable."""
    matching = [offer for offer in offers() if offer.word == word]
    if not matching:
        raise ConnectorUnavailable("unknown-connector", f"no connector is called `{word}`")
    if len(matching) > 1:
        names = " and ".join(f"`{offer.distribution}` {offer.version}" for offer in matching)
        raise ConnectorUnavailable(
            "ambiguous-connector", f"two distributions offer `{word}`", f"offered by {names}"
        )
    return matching[0]


def _load(offer: Offer) -> Connector:
    distribution = f"`{offer.distribution}` {offer.version}"
    try:
        module = import_module(offer.module)
        descriptors = _checked([module.plait_connectors()] if _pinned else _call_hook(module))
    except (Exception, SystemExit) as error:
        from plait.plugin.isolation import describe, show_traceback

        show_traceback(error)
        text = describe(error)
        if isinstance(
            error, (ImportError, SyntaxError)
        ):  # what Python says of the code, which holds no secret
            text = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ConnectorUnavailable(
            "broken-connector",
            f"the connector `{offer.word}` could not be loaded: {text}",
            f"from {distribution}, module `{offer.module}`",
        ) from error
    for descriptor in descriptors:
        if isinstance(descriptor, Connector) and descriptor.name == offer.word:
            return (
                descriptor if offer.distribution == OURS else replace(descriptor, distribution=distribution)
            )
    message = f"the module of `{offer.word}` offers no connector of that name"
    raise ConnectorUnavailable("broken-connector", message, f"from {distribution}")


def _checked(answers: list[Any]) -> list[Any]:
    """Return the descriptors that a hook gives; raises ContractViolation."""
    if not all(isinstance(answer, Iterable) for answer in answers):
        raise ContractViolation("its hook gives no list")
    descriptors = [descriptor for answer in answers for descriptor in answer]
    for descriptor in descriptors:
        _check_roles(descriptor)
    return descriptors


def _check_roles(descriptor: Any) -> None:
    """Raise ContractViolation if a role of a connector is no class that extends the role, or lacks one of its methods."""
    for word, base in (("driver", Driver), ("lookup", Lookup), ("sink", Sink)):
        role = getattr(descriptor, word, None)
        if role is None:
            continue
        if not (isinstance(role, type) and issubclass(role, base)):
            raise ContractViolation(f"its `{word}` is no class that extends `{base.__name__}`")
        if role.__abstractmethods__:
            raise ContractViolation(f"its `{word}` has no method `{min(role.__abstractmethods__)}`")


def _call_hook(module: Any) -> list[list[Any]]:
    """What the hook of a module answers, once pluggy has found that it has our signature."""
    import pluggy

    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.register(module)
    manager.check_pending()
    answers: list[list[Any]] = manager.hook.plait_connectors()
    return answers
