"""Rows that stand in the spec itself: the smallest connector that there can be."""
# ruff: noqa: D101, D102, D103 -- short enough to read whole

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from msgspec import Meta

from plait.plugin import Connector, Driver, Item, Key, Lookup, Options, Record, Window, hookimpl


class MemoryOptions(Options, frozen=True):
    rows: Annotated[list[dict[str, Any]], Meta(description="the rows, each a mapping of fields")]


class MemoryRows(Driver[MemoryOptions], Lookup[MemoryOptions]):
    order, offline, dated = "position", True, False

    def known_fields(self) -> list[str]:
        return [*dict.fromkeys(name for row in self.options.rows for name in row)]

    def accepts(self, uri: str) -> bool:
        return any(item.uri == uri for item in self.list(Window()))

    def list(self, _window: Window) -> Iterable[Item]:
        return (Item(uri=f"memory:{self.context.source}/{n}") for n in range(len(self.options.rows)))

    def read(self, items: Sequence[Item]) -> Iterable[Record]:
        return (Record(fields=self.options.rows[int(item.uri.split("/")[-1])], item=item) for item in items)

    def fetch(self, _keys: Sequence[Key]) -> Iterable[Record]:
        return (Record(fields=row, position=f"row {n}") for n, row in enumerate(self.options.rows))


@hookimpl
def plait_connectors() -> list[Connector]:
    summary = "Rows in the spec itself."
    return [Connector("memory", summary, MemoryOptions, driver=MemoryRows, lookup=MemoryRows)]
