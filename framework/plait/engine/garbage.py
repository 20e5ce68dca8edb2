"""The collector of garbage, to which a batch of many values is nothing but work."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 32


@contextmanager
def left_alone(values: int) -> Iterator[None]:
    """Within, memory is not searched for cycles, if there are many values: records have none, and live till the end."""
    if values < MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
