"""Rows that stand in the spec itself; the smallest connector that there can be."""
# ruff: noqa: D101, D102, D103 -- short enough to read whole

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

from plait.plugin import Connector, Context, Item, Options, Record, Window, hookimpl


class Memory(Options, frozen=True, kw_only=True):
    rows: Annotated[list[dict[str, Any]], Meta(description="the rows, each a mapping of fields")]


@dataclass(frozen=True)
class Rows:
    options: Memory
    context: Context

    def accepts(self, uri: str) -> bool:
        return any(item.uri == uri for item in self.list(Window()))

    def list(self, _window: Window) -> Any:
        return (Item(uri=f"memory:{self.context.source}/{n}") for n in range(len(self.options.rows)))

    def read(self, items: Any) -> Any:
        return (Record(fields=self.options.rows[int(i.uri.split("/")[-1])], item=i) for i in items)

    def fetch(self, _keys: Any) -> Any:
        return [Record(fields=row, position=f"row {n}") for n, row in enumerate(self.options.rows)]


def fields(options: Memory) -> list[str]:
    return [*dict.fromkeys(name for row in options.rows for name in row)]


@hookimpl
def plait_connectors() -> list[Connector]:
    told: Any = {"summary": "Rows in the spec itself.", "known_fields": fields, "order": "position"}
    told |= {"offline": True, "dated": False}
    return [Connector(name="memory", options=Memory, driver=Rows, lookup=Rows, **told)]
