"""How much memory the process may use, and the rooms in it for objects, values and batches."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT = 1 << 30
MIB = 1 << 20


@cache
def memory() -> int:
    """The bytes of memory that the process may use: those of the function, or of the machine and its limits."""
    if function := os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"):
        return int(function) * MIB
    if sys.platform != "linux":
        return DEFAULT
    import resource

    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [physical, *([] if address_space == resource.RLIM_INFINITY else [address_space])]
    group = Path("/sys/fs/cgroup/memory.max")
    text = group.read_text("ascii").strip() if group.is_file() else ""
    return min([*limits, *([int(text)] if text.isdigit() else [])])


def room_for_object() -> int:
    """The bytes of the largest object that is read."""
    return memory() // 16


def room_for_values() -> int:
    """The bytes of memory that the values of one document may take."""
    return memory() // 4


def room_for_bad_records() -> int:
    """The bytes of memory that the bad records of one object may take."""
    return memory() // 8


def room_for_batch() -> int:
    """The bytes of memory that the records of a batch may take, beyond which the batch closes."""
    return min(memory() // 16, 64 * MIB)


def room_ahead() -> int:
    """The bytes of objects that are read before their turn."""
    return min(memory() // 32, 32 * MIB)


def size_of_values(data: bytes | memoryview) -> int:
    """About how many bytes of memory the values of a JSON text take, by a count of what separates them."""
    if isinstance(data, memoryview):
        return sum(size_of_values(bytes(data[start : start + MIB])) for start in range(0, len(data), MIB))
    return 2 * len(data) + 100 * (data.count(b",") + data.count(b":"))


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Pause cyclic garbage collection while a batch is built: its values hold no cycles."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
