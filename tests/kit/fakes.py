"""What the engine gets in tests of its parts: look-ups of fixed records, and sources whose connector does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.language.spec import Column, Source
from plait.plugin import Connector, Key, Options
from plait.values.types import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.plugin import Record


class NoOptions(Options, frozen=True, kw_only=True):
    """No options."""


class FixedLookup:
    """A look-up that gives all of its records whatever it is asked; `asked` has the number of keys of each call."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records, self.asked = records, list[int]()

    def fetch(self, keys: Sequence[Key]) -> Sequence[Record]:
        """All records, more than was asked, as real sources may give."""
        self.asked.append(len(keys))
        assert all(isinstance(key, Key) for key in keys)
        return self.records


def column(name: str, word: str, *place: str | int, **more: Any) -> Column:
    """A column of a type, its value at a place of the record."""
    return Column(name=name, type=parse(word), origin=name, selector=place or (name,), **more)


def source(
    *columns: Column,
    order: Any = "position",
    keys_per_call: int | None = None,
    connector: Connector | None = None,
    options: Any = None,
    decode: Any = None,
    **more: Any,
) -> Source:
    """A source `s` of these columns; `order` and `keys_per_call` are those of its fixed connector, if it has no other."""
    connector = connector or Connector(
        name="fixed", summary="", options=NoOptions, order=order, keys_per_call=keys_per_call
    )
    options = options or NoOptions()
    return Source(
        name="s", connector=connector, options=options, columns=columns, decode=decode or {}, **more
    )
