"""Objects in local folders: the path is the URI."""

from __future__ import annotations

import errno
import os
import posixpath
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plait.plugin import GiveUp, Item, Missing, ObjectChanged, PlaitError, StoredObject, TryAgain, Written
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEMPORARY_PREFIX = ".plait-"
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
MISSING = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}


def find(prefix: str) -> Iterator[Item]:
    """The files whose path begins with the prefix, sorted; raises GiveUp if there is no such folder."""
    prefix = normal_uri(prefix)
    if prefix == "./":
        prefix = ""
    folder = posixpath.dirname(prefix) or "."
    if not Path(folder).is_dir():
        raise GiveUp(f"there is no folder `{folder[:200]}`", code="no-folder", help="check the path")
    for path in sorted(_paths(prefix)):
        try:
            yield _item(path, Path(path).stat())
        except FileNotFoundError:
            continue


def _paths(prefix: str) -> Iterator[str]:
    """The paths of the files that begin with the prefix, without those that are being written."""
    for folder, _, names in os.walk(posixpath.dirname(prefix) or "."):
        for name in names:
            path = posixpath.normpath(posixpath.join(folder, name))
            if path.startswith(prefix) and not name.startswith(TEMPORARY_PREFIX):
                yield path


def _item(uri: str, stat: os.stat_result) -> Item:
    return Item(
        uri=uri,
        size=stat.st_size,
        modified=datetime.fromtimestamp(stat.st_mtime, UTC),
        etag=f"{stat.st_mtime_ns:x}-{stat.st_size:x}",
    )


def get(uri: str, takes: Callable[[int], bool]) -> StoredObject:
    """Read a file; without its bytes where `takes` refuses its size. Raises what the file system raises."""
    with Path(uri).open("rb") as file:
        stat = os.fstat(file.fileno())
        data = file.read() if takes(stat.st_size) else b""
        return StoredObject(item=_item(normal_uri(uri), stat), data=data)


def put(uri: str, data: bytes) -> Written:
    """Write a file at once: readers see the old file or the new one."""
    folder = posixpath.dirname(uri) or "."
    Path(folder).mkdir(parents=True, exist_ok=True)
    temporary = posixpath.join(folder, f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
    try:
        Path(temporary).write_bytes(data)
        Path(temporary).replace(uri)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Written(uri=normal_uri(uri), rows=0, bytes=len(data))


def delete(item: Item) -> None:
    """Remove a file, if it is there; where the item has an ETag, only that version, else raise ObjectChanged."""
    path = Path(item.uri)
    if item.etag is not None and _item(item.uri, path.stat()).etag != item.etag:
        raise ObjectChanged(f"`{item.uri[:200]}` is another version by now")
    path.unlink(missing_ok=True)


def local_error(uri: str, error: Exception) -> Missing | PlaitError:
    """What an error means for a file: it is missing, or one of our errors."""
    if isinstance(error, PlaitError):
        return error
    if isinstance(error, UnicodeEncodeError) or (isinstance(error, OSError) and error.errno in MISSING):
        return Missing(uri)
    if isinstance(error, OSError):
        return _failure(uri, error)
    return GiveUp(f"`{uri[:200]}` cannot be used: {type(error).__name__}")


def _failure(uri: str, error: OSError) -> PlaitError:
    reason = (error.strerror or "").lower()
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return GiveUp(
            f"`{uri[:200]}` cannot be used: {reason}", code="denied", help="use a folder that is yours"
        )
    if error.errno in NO_SPACE:
        help = "make room there, then run it again: what was written stays"
        return TryAgain(f"`{uri[:200]}` cannot be written: {reason}", code="no-space", help=help)
    return TryAgain(f"`{uri[:200]}` cannot be used now: {reason}")
