"""Objects in local folders: the path is the URI."""

from __future__ import annotations

import errno
import os
import posixpath
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plait.plugin import Changed, GiveUp, Item, Missing, PlaitError, StoredObject, TryAgain, Written
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY = ".plait-"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}


def find(prefix: str) -> Iterator[Item]:
    """The files whose path begins with the prefix, sorted; raises GiveUp where there is no such folder."""
    prefix = normal_uri(prefix)
    if prefix == "./":
        prefix = ""
    folder = posixpath.dirname(prefix) or "."
    if not Path(folder).is_dir():
        raise GiveUp(f"there is no folder `{folder[:200]}`", code="no-folder", help="check the path")
    for path in sorted(_walk(prefix)):
        try:
            yield _item(path, Path(path).stat())
        except FileNotFoundError:
            continue


def _walk(prefix: str) -> Iterator[str]:
    for folder, _, names in os.walk(posixpath.dirname(prefix) or "."):
        for name in names:
            path = posixpath.normpath(posixpath.join(folder, name))
            if path.startswith(prefix) and not name.startswith(TEMPORARY):
                yield path


def _item(uri: str, stat: os.stat_result) -> Item:
    return Item(
        uri=uri,
        size=stat.st_size,
        modified=datetime.fromtimestamp(stat.st_mtime, UTC),
        etag=f"{stat.st_mtime_ns:x}-{stat.st_size:x}",
    )


def get(uri: str, limit: int | None = None) -> StoredObject:
    """Read one file, if it is no larger than the limit; raises what the system raises."""
    with Path(uri).open("rb") as file:
        stat = os.fstat(file.fileno())
        fits = limit is None or stat.st_size <= limit
        return StoredObject(item=_item(normal_uri(uri), stat), data=file.read() if fits else b"")


def put(uri: str, data: bytes) -> Written:
    """Write one file so that nobody ever sees half of it."""
    folder = posixpath.dirname(uri) or "."
    Path(folder).mkdir(parents=True, exist_ok=True)
    temporary = posixpath.join(folder, f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        Path(temporary).write_bytes(data)
        Path(temporary).replace(uri)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Written(uri=normal_uri(uri), rows=0, bytes=len(data))


def delete(item: Item) -> None:
    """Remove a file, if it is there; where the item has an ETag, only that version, else raise Changed."""
    path = Path(item.uri)
    if item.etag is not None and _item(item.uri, path.stat()).etag != item.etag:
        raise Changed(f"`{item.uri[:200]}` is another version by now")
    path.unlink(missing_ok=True)


def explain(uri: str, error: Exception) -> Missing | PlaitError:
    """What an error of the file system means to the caller."""
    if isinstance(error, PlaitError):
        return error
    if isinstance(error, UnicodeEncodeError) or (isinstance(error, OSError) and error.errno in ABSENT):
        return Missing(uri)
    if isinstance(error, OSError):
        return _failure(uri, error)
    return GiveUp(f"`{uri[:200]}` cannot be used: {type(error).__name__}")


def _failure(uri: str, error: OSError) -> PlaitError:
    why = (error.strerror or "").lower()
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return GiveUp(
            f"`{uri[:200]}` cannot be used: {why}", code="denied", help="use a folder that is yours"
        )
    if error.errno in FULL:
        help = "make room there, then run it again: what was written stays"
        return TryAgain(f"`{uri[:200]}` cannot be written: {why}", code="no-space", help=help)
    return TryAgain(f"`{uri[:200]}` cannot be used now: {why}")
