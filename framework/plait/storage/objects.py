"""Objects on `s3://` and in local folders behind one interface, many at once."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from plait.aws.clients import Clients
from plait.aws.retries import RetryPolicy
from plait.plugin import GiveUp, Item, Missing, PlaitError, Put, StoredObject, Written
from plait.storage import local, s3, s3_errors
from plait.values.memory import room_ahead
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")
MAX_AT_ONCE = 64
MAX_SHARE = 8  # of things that a thread works on before it reports: each report wakes the thread that waits
MAX_AHEAD = 2 * MAX_AT_ONCE * MAX_SHARE


class ReadAhead:
    """Lets objects be read before their turn comes, as long as their bytes together fit into a room.

    An object that does not fit is postponed: it is read when its turn comes, alone.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._sizes: dict[int, int] = {}
        self._used = self._seen = self._bytes_seen = 0
        self.postponed: set[int] = set()

    def takes(self, number: int, size: int) -> bool:
        """Whether the object of this number and size may be read now; its bytes then count until its turn has passed."""
        self.pass_on(number)
        with self._lock:
            self._seen += 1
            self._bytes_seen += size
            if self._used + size > self._room:
                self.postponed.add(number)
                return False
            self.postponed.discard(number)
            self._sizes[number] = size
            self._used += size
            return True

    def pass_on(self, number: int) -> None:
        """The turn of this object has passed."""
        with self._lock:
            self._used -= self._sizes.pop(number, 0)

    def at_once(self) -> int:
        """How many objects of the mean size that was seen so far fit into the room; a few before one was seen."""
        if not self._seen:
            return min(MAX_AT_ONCE, self._room)
        return max(1, min(MAX_AHEAD, self._room * self._seen // max(self._bytes_seen, 1)))


class Storage:
    """The `Objects` of the connectors' contract; `count` is called with the IAM action and 1 for every request to S3."""

    def __init__(
        self,
        count: Callable[[str, int], None],
        client: Callable[[str], Any] | None = None,
        retry_policy: Callable[[], RetryPolicy] = RetryPolicy.from_environment,
        room: int | None = None,
        *,
        is_conditional: bool = True,
    ) -> None:
        self._room = room or room_ahead()
        self._s3 = s3.S3(count, client or Clients(count), retry_policy, is_conditional=is_conditional)
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def list(self, prefix: str) -> Iterator[Item]:
        """The objects whose URI begins with the prefix, sorted by URI; raises GiveUp, TryAgain."""
        try:
            yield from self._s3.find(prefix) if on_s3(prefix) else local.find(prefix)
        except PlaitError:
            raise
        except Exception as error:
            raise _failure(prefix, error) from error

    def get(
        self, uris: Sequence[str], limit: int | None = None
    ) -> Iterator[StoredObject | Missing | PlaitError]:
        """The objects, in the order of the URIs; one larger than `limit` without its bytes."""
        ahead = ReadAhead(self._room)

        def takes(size: int) -> bool:
            return limit is None or size <= limit

        def get_ahead(number: int) -> StoredObject | Missing | PlaitError:
            return self._get(uris[number], lambda size: takes(size) and ahead.takes(number, size))

        if len(uris) == 1:
            yield self._get(uris[0], takes)
            return
        for number, answer in enumerate(self._map(get_ahead, range(len(uris)), ahead.at_once)):
            yield self._get(uris[number], takes) if number in ahead.postponed else answer
            ahead.pass_on(number)

    def put(self, puts: Sequence[Put]) -> Sequence[Written | PlaitError]:
        """Store each object; one with a `source` only while nothing newer stands there, else `ObjectChanged`."""
        return [*self._map(self._put, puts)]

    def remove(self, items: Sequence[Item]) -> Sequence[PlaitError | None]:
        """Remove each object if it is still the version of the item, else `ObjectChanged`; None if it is gone."""
        return [*self._map(self._remove, items)]

    def _get(self, uri: str, takes: Callable[[int], bool]) -> StoredObject | Missing | PlaitError:
        try:
            return self._s3.get(uri, takes) if on_s3(uri) else local.get(uri, takes)
        except Exception as error:  # noqa: BLE001 -- every error is returned as an answer
            return _error_for_object(uri, error)

    def _put(self, put: Put) -> Written | PlaitError:
        try:
            if on_s3(put.uri):
                return self._s3.put(put)
            if put.removes:
                local.delete(Item(uri=put.uri))
                return Written(uri=put.uri, rows=0, bytes=0)
            return local.put(put.uri, put.data, creates=put.creates)
        except Exception as error:  # noqa: BLE001 -- every error is returned as an answer
            return _failure(put.uri, error)

    def _remove(self, item: Item) -> PlaitError | None:
        try:
            self._s3.delete(item) if on_s3(item.uri) else local.delete(item)
        except Exception as error:  # noqa: BLE001 -- every error is returned as an answer
            answer = _error_for_object(item.uri, error)
            return None if isinstance(answer, Missing) else answer
        return None

    def _map(
        self, work: Callable[[T], R], things: Sequence[T], at_once: Callable[[], int] = lambda: MAX_AHEAD
    ) -> Iterator[R]:
        """Yield what `work` returns for each thing, in order; at most `at_once` run or wait to be read at a time."""
        if len(things) == 1:
            yield work(things[0])
            return
        waiting: deque[Future[list[R]]] = deque()
        begun = yielded = 0
        try:
            while yielded < len(things):
                most = at_once()
                size = max(1, min(MAX_SHARE, most // MAX_AT_ONCE, len(things) // (4 * MAX_AT_ONCE)))
                if begun < len(things) and begun + size - yielded <= most:
                    run, share = copy_context().run, things[begun : begun + size]
                    waiting.append(self._threads().submit(run, lambda part: [*map(work, part)], share))
                    begun += size
                    continue
                answers = waiting.popleft().result()
                yield from answers
                yielded += len(answers)
        finally:
            for future in waiting:
                future.cancel()

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="plait-objects")
            return self._pool


def _error_for_object(uri: str, error: Exception) -> Missing | PlaitError:
    return s3_errors.s3_error(uri, error) if on_s3(uri) else local.local_error(uri, error)


def _failure(uri: str, error: Exception) -> PlaitError:
    """The error of a listing or a put, where a missing object means a missing bucket or folder."""
    if isinstance(error, PlaitError):
        return error
    answer = _error_for_object(uri, error)
    if not isinstance(answer, Missing):
        return answer
    if on_s3(uri):
        return GiveUp(f"`{uri[:200]}` does not exist", code="no-bucket", help="check the path")
    help = "check the path: a folder may be in its place, or a file in place of its folder"
    return GiveUp(f"`{uri[:200]}` cannot be made", code="no-folder", help=help)
