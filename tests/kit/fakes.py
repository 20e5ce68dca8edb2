"""What the engine gets in tests of its parts: look-ups of fixed records, and sources whose connector does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from plait.language.spec import Column, Source
from plait.plugin import Connector, Driver, Key, Lookup, Options
from plait.plugin.roles import Role
from plait.values.decode import Decoding
from plait.values.places import Place
from plait.values.types import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plait.plugin import Record
    from plait.values.decode import Step


R = TypeVar("R", bound=Role[Any])


class NoOptions(Options, frozen=True, kw_only=True):
    """No options."""


class FixedLookup(Lookup[NoOptions]):
    """A look-up that gives all of its records whatever it is asked; `asked` has the number of keys of each call."""

    def __init__(
        self, records: Sequence[Record] = (), *, order: Any = "position", keys_per_call: int | None = None
    ) -> None:
        super().__init__(NoOptions())
        self.records, self.asked = records, list[int]()
        self.order, self.keys_per_call = order, keys_per_call

    def fetch(self, keys: Sequence[Key]) -> Sequence[Record]:
        """All records, more than was asked, as real sources may give."""
        self.asked.append(len(keys))
        assert all(isinstance(key, Key) for key in keys)
        return self.records


class FixedDriver(Driver[NoOptions]):
    """A driver without objects, which takes any object and has no record of it."""

    def accepts(self, _uri: str) -> bool:
        return True

    def list(self, _window: Any) -> Any:
        return ()

    def read(self, _items: Any) -> Any:
        return ()


def opened_as(role: R) -> type[R]:
    """A class that makes no role but this one, whatever its options and context."""
    return type("Opened", (type(role),), {"__new__": lambda *_: role})


def column(name: str, word: str, *place: str | int, **more: Any) -> Column:
    """A column of a type, its value at a place of the record."""
    return Column(name=name, type=parse(word), origin=name, selector=place or (name,), **more)


def decodings(fields: Mapping[str, tuple[Step, ...]]) -> tuple[Decoding, ...]:
    """The steps of whole fields."""
    return tuple(Decoding(Place(name, (name,)), steps) for name, steps in fields.items())


def source(
    *columns: Column,
    order: Any = "position",
    connector: Connector | None = None,
    options: Any = None,
    decode: Mapping[str, tuple[Step, ...]] | None = None,
    **more: Any,
) -> Source:
    """A source `s` of these columns; `order` is that of its fixed connector, if it has no other."""
    lookup = opened_as(FixedLookup(order=order))
    connector = connector or Connector("fixed", "", NoOptions, driver=FixedDriver, lookup=lookup)
    options = options or NoOptions()
    return Source(
        name="s",
        connector=connector,
        options=options,
        columns=columns,
        decode=decodings(decode or {}),
        **more,
    )
