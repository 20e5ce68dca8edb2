"""Rows that stand in the spec itself; the smallest connector that there can be."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from plait.api import Connector, Context, Item, Options, Record, Window, hookimpl


class Memory(Options, frozen=True, kw_only=True):
    rows: Annotated[list[dict[str, Any]], msgspec.Meta(description="the rows, each a mapping of fields")]


@dataclass(frozen=True)
class Rows:
    options: Memory
    context: Context

    def accepts(self, uri: str) -> bool:
        return uri in self._by_uri()

    def list(self, _window: Window) -> Any:
        return (Item(uri=uri) for uri in self._by_uri())

    def read(self, items: Any) -> Any:
        return (Record(fields=self._by_uri()[item.uri], item=item) for item in items)

    def fetch(self, _keys: Any) -> Any:
        return [Record(fields=row, position=f"row {n}") for n, row in enumerate(self.options.rows)]

    def _by_uri(self) -> dict[str, dict[str, Any]]:
        return {f"memory:{self.context.source}/{n}": row for n, row in enumerate(self.options.rows)}


def fields(options: Memory) -> list[str]:
    return [*dict.fromkeys(name for row in options.rows for name in row)]


@hookimpl
def plait_connectors() -> list[Connector]:
    told = "Rows that stand in the spec itself."
    return [
        Connector(
            name="memory", summary=told, options=Memory, driver=Rows, lookup=Rows, known_fields=fields, order="position"
        )
    ]
