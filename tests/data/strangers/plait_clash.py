"""A connector with an option that is named as a key of every source."""

from plait.plugin import Connector, Options, hookimpl


class Clash(Options, frozen=True):
    cache: str = ""


@hookimpl
def plait_connectors() -> list[Connector]:
    return [Connector("clash", "Clashes.", Clash)]
