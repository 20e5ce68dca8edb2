"""A connector whose options no value can meet: a least length of something that may be null."""

from typing import Annotated, Any

from msgspec import Meta

from plait.plugin import Connector, Lookup, Options, hookimpl


class Unfit(Options, frozen=True):
    text: Annotated[str | None, Meta(min_length=1)] = None


class UnfitLookup(Lookup[Unfit]):
    def fetch(self, keys: Any) -> Any:
        return ()


@hookimpl
def plait_connectors() -> list[Connector]:
    return [Connector("unfit", "Unfit.", Unfit, lookup=UnfitLookup)]
