"""Tables of cases in YAML, with the values that YAML alone cannot write."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from kit.paths import DATA

if TYPE_CHECKING:
    from pathlib import Path


class _Loader(yaml.SafeLoader):
    """A loader that knows `!decimal 1.50`, `!hex 00ff`, `!bytes` and `!text`; a text is written in quotes."""


def _text(loader: Any, node: Any) -> str:
    """Return a text, or the parts of a list as one, of which `[3, x]` is `xxx`."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    parts = loader.construct_sequence(node, deep=True)
    return "".join(part if isinstance(part, str) else part[1] * part[0] for part in parts)


_Loader.add_constructor("!decimal", lambda _, node: Decimal(node.value))
_Loader.add_constructor("!hex", lambda _, node: bytes.fromhex(node.value))
_Loader.add_constructor("!text", _text)
_Loader.add_constructor("!bytes", lambda loader, node: _text(loader, node).encode())


def table(file: Path | str) -> Any:
    """Return what a file of YAML holds: one of `tests/data` by its name there, another by its path."""
    return yaml.load((DATA / file).read_text(encoding="utf-8"), _Loader)
