"""Objects in local folders: the path is the URI."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import time
import uuid
from contextlib import suppress
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
LEFT_BEHIND_SECONDS = 86_400
_swept: set[str] = set()


def find(prefix: str) -> Iterator[Item]:
    """The files whose path begins with the prefix, sorted, links to folders followed.

    What is no file, such as a pipe, is listed without a size, so that reading it tells. Raises GiveUp if there is no such
    folder, or if one may not be read.
    """
    prefix = normal_uri(prefix)
    if prefix == "./":
        prefix = ""
    folder = posixpath.dirname(prefix) or "."
    if not Path(folder).is_dir():
        raise GiveUp(f"there is no folder `{folder[:200]}`", code="no-folder", help="check the path")
    for path in sorted(_paths(prefix)):
        try:
            status = Path(path).stat()
            yield _item(path, status) if stat.S_ISREG(status.st_mode) else Item(uri=path)
        except FileNotFoundError:
            continue
        except OSError:
            yield Item(uri=path)


def _paths(prefix: str) -> Iterator[str]:
    """The paths of the files that begin with the prefix, without those that are being written."""
    top = posixpath.dirname(prefix) or "."
    for folder, folders, names in os.walk(top, onerror=_raise_unreadable, followlinks=True):
        parents = posixpath.realpath(folder) + "/"
        folders[:] = [
            name
            for name in folders
            if not parents.startswith(posixpath.realpath(posixpath.join(folder, name)) + "/")
        ]
        for name in names:
            path = posixpath.normpath(posixpath.join(folder, name))
            if path.startswith(prefix) and not name.startswith(TEMPORARY_PREFIX):
                yield path


def _raise_unreadable(error: OSError) -> None:
    """Raise GiveUp for a folder that cannot be listed, unless it went meanwhile."""
    if error.errno not in MISSING:
        reason, folder = (error.strerror or "").lower(), str(error.filename)
        help = "let it be read, or name a path that leaves it out"
        raise GiveUp(f"the folder `{folder[:200]}` cannot be listed: {reason}", code="denied", help=help)


def _item(uri: str, status: os.stat_result) -> Item:
    return Item(
        uri=uri,
        size=status.st_size,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
        etag=f"{status.st_mtime_ns:x}-{status.st_size:x}",
    )


def get(uri: str, takes: Callable[[int], bool]) -> StoredObject:
    """Read a file; without its bytes where `takes` refuses its size. Raises what the file system raises.

    Raises GiveUp for what is no file, and TryAgain for one that gives more or fewer bytes than it has.
    """
    with open(os.open(uri, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - a pipe must not wait
        status = os.fstat(file.fileno())
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise GiveUp(f"`{uri[:200]}` is no file but a pipe or a device", code="not-a-file")
        is_taken = takes(status.st_size)
        data = file.read(status.st_size + 1) if is_taken else b""
        if is_taken and len(data) != status.st_size:
            raise TryAgain(f"`{uri[:200]}` changes while it is read")
        return StoredObject(item=_item(normal_uri(uri), status), data=data)


def put(uri: str, data: bytes, *, creates: bool = False) -> Written:
    """Write a file at once: readers see the old file or the new one; one that `creates` raises ObjectChanged where one stands."""
    folder = posixpath.dirname(uri) or "."
    Path(folder).mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    temporary = posixpath.join(folder, f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
    try:
        Path(temporary).write_bytes(data)
        if creates:
            Path(uri).hardlink_to(temporary)
            Path(temporary).unlink()
        else:
            Path(temporary).replace(uri)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, FileExistsError) and creates:
            raise ObjectChanged(f"`{uri[:200]}` is there already") from None
        raise
    return Written(uri=normal_uri(uri), rows=0, bytes=len(data))


def _sweep(folder: str) -> None:
    """Remove what a killed process left in a folder, once a process."""
    if folder in _swept:
        return
    _swept.add(folder)
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):
            is_old = (
                entry.name.startswith(TEMPORARY_PREFIX)
                and time.time() - entry.stat().st_mtime > LEFT_BEHIND_SECONDS
            )
            if is_old and entry.is_file(follow_symlinks=False):
                Path(entry.path).unlink()


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
