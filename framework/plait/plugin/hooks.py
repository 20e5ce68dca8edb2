"""The one hook of plait, which a connector's module implements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from plait.plugin.roles import Connector

hookspec = pluggy.HookspecMarker("plait")
hookimpl = pluggy.HookimplMarker("plait")


class Hooks:
    """The hooks that plait calls."""

    @hookspec
    def plait_connectors(self) -> list[Connector]:
        """Return the connectors that this module offers."""
        raise AssertionError
