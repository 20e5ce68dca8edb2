"""A connector whose options no value can meet: a least length of something that may be null."""

from typing import Annotated

from msgspec import Meta

from plait.plugin import Connector, Options, hookimpl


class Unfit(Options, frozen=True):
    text: Annotated[str | None, Meta(min_length=1)] = None


@hookimpl
def plait_connectors() -> list[Connector]:
    return [Connector(name="unfit", summary="Unfit.", options=Unfit, driver=print)]  # type: ignore[arg-type]
