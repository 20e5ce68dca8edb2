"""The list of a backfill, cut into batches, and the file that has the objects of a batch."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from plait.engine.rows import FIRST_MOMENT
from plait.plugin import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_OBJECTS, MOST_BYTES = 1_000, 200_000  # of a batch: what an event of Lambda's 256 KB can name
MOST_SORTED = 100_000  # objects, some 50 MB


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The objects by batches, whose URIs take at most so many bytes as JSON."""
    batch, used = list[Item](), 0
    for item in _by_time(items):
        length = len(json.dumps(item.uri, ensure_ascii=False).encode("utf-8", "backslashreplace"))
        if batch and (len(batch) == size or used + length > MOST_BYTES):
            yield batch
            batch, used = [], 0
        batch.append(item)
        used += length
    if batch:
        yield batch


def size_of(batch: Sequence[Item]) -> tuple[int, int]:
    """The objects and the bytes of a batch."""
    return len(batch), sum(item.size or 0 for item in batch)


def _by_time(items: Iterable[Item]) -> Iterator[Item]:
    """The objects, each once, by the time of their modification, within each stretch of so many that are listed.

    A batch of neighbours in time asks a look-up with a window for few stretches of time, whatever its objects are called.
    """
    remaining = iter(items)
    while listed := {item.uri: item for item in islice(remaining, MOST_SORTED)}:
        yield from sorted(listed.values(), key=lambda item: item.modified or FIRST_MOMENT)


def pack(batch: Iterable[Item]) -> bytes:
    """The file of a batch."""
    return gzip.compress("\n".join(map(_line, batch)).encode(), mtime=0)


def unpack(data: bytes) -> list[Item]:
    """The objects of such a file; none where it is no such file."""
    try:
        return [*map(_item, gzip.decompress(data).splitlines())]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return []


def _line(item: Item) -> str:
    """An object as JSON, in ASCII since the name of a file may be no UTF-8."""
    modified = item.modified.isoformat() if item.modified else None
    return json.dumps({"uri": item.uri, "size": item.size, "modified": modified, "etag": item.etag})


def _item(line: bytes) -> Item:
    fields = json.loads(line)
    modified = fields["modified"]
    return Item(**{**fields, "modified": datetime.fromisoformat(modified) if modified else None})
