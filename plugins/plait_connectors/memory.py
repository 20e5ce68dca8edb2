"""Rows that stand in the spec itself: the smallest connector that there can be."""
# ruff: noqa: D101, D102, D103 -- short enough to read whole

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

from plait.plugin import Connector, Context, Item, Options, Record, Window, hookimpl


class MemoryOptions(Options, frozen=True, kw_only=True):
    rows: Annotated[list[dict[str, Any]], Meta(description="the rows, each a mapping of fields")]

    def fields(self) -> list[str]:
        return [*dict.fromkeys(name for row in self.rows for name in row)]


@dataclass(frozen=True)
class MemoryRows:
    options: MemoryOptions
    context: Context

    def accepts(self, uri: str) -> bool:
        return any(item.uri == uri for item in self.list(Window()))

    def list(self, _window: Window) -> Any:
        return (Item(uri=f"memory:{self.context.source}/{n}") for n in range(len(self.options.rows)))

    def read(self, items: Any) -> Any:
        return (Record(fields=self.options.rows[int(item.uri.split("/")[-1])], item=item) for item in items)

    def fetch(self, _keys: Any) -> Any:
        return [Record(fields=row, position=f"row {n}") for n, row in enumerate(self.options.rows)]


@hookimpl
def plait_connectors() -> list[Connector]:
    return [Connector(name="memory", summary="Rows in the spec itself.", options=MemoryOptions, driver=MemoryRows,
        lookup=MemoryRows, known_fields=MemoryOptions.fields, order="position", offline=True, dated=False)]  # fmt: skip
