"""The one hook of plait, `plait_connectors`: a connector's module marks the function of this name, which returns a list of connectors."""

from __future__ import annotations

import pluggy

hookimpl = pluggy.HookimplMarker("plait")
