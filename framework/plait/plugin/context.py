"""What plait lends to a connector: clients, secrets, storage, the clock and a logger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from logging import Logger

    from plait.plugin.data import Item, Missing, Put, StoredObject, Written
    from plait.problems.errors import PlaitError
    from plait.values.secret import Secrets


@runtime_checkable
class Objects(Protocol):
    """Objects on `s3://` and in local folders, many at once."""

    def list(self, prefix: str) -> Iterator[Item]:
        """Yield the objects whose URI begins with the prefix, sorted by URI; raises GiveUp, TryAgain."""

    def get(
        self, uris: Sequence[str], limit: int | None = None
    ) -> Iterator[StoredObject | Missing | PlaitError]:
        """Yield the object of each URI, in order; one of more than `limit` bytes comes without its bytes."""

    def put(self, puts: Sequence[Put]) -> Sequence[Written | PlaitError]:
        """Store each object; one with a `source` is `ObjectChanged` if something newer is stored there already."""

    def remove(self, items: Sequence[Item]) -> Sequence[PlaitError | None]:
        """Remove each object that is still the version of its item, else answer `ObjectChanged`; None means removed or gone."""


class Context(Protocol):
    """What plait lends to a connector, for one block of the spec."""

    @property
    def source(self) -> str:
        """The name of the block in the spec."""

    @property
    def fields(self) -> tuple[str, ...] | None:
        """The top-level fields that the spec takes from this source; None means all."""

    @property
    def body_fields(self) -> tuple[str, ...]:
        """The fields of which a document, or a file's header, must have one; with none of them it is `no_such_field`."""

    @property
    def log(self) -> Logger:
        """The logger of the block."""

    @property
    def objects(self) -> Objects:
        """Objects on `s3://` and in local folders."""

    def now(self) -> datetime:
        """Return the current time in UTC."""

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service: made once per process, it counts its calls and tries again itself."""

    def secret(self, name: str, *, fresh: bool = False) -> Secrets:
        """Return a secret that is a JSON mapping; raises GiveUp without showing a value.

        Each text in it is a `Secret`, which is shown as `***`; `secret["password"].reveal()` is the text.
        The secret is kept in memory; `fresh` asks for it again.
        """

    def count(self, operation: str, calls: int = 1) -> None:
        """Count calls that no boto3 client makes, such as `mysql:Query`, before they are made.

        Raises TryAgain if no time is left for them; clients of boto3 do both by themselves.
        """

    def count_lines(self, read: int, unread: int, sample: str) -> None:
        """Count lines that a look-up read, and those of them that are no record; `sample` is one of these, as it came."""

    def timeout(self) -> float:
        """Return how many seconds a call may now go unanswered; raises TryAgain if no time is left."""

    def pause(self, attempt: int) -> None:
        """Wait before the next try, for a random time that grows with the attempt (1, 2, …).

        Raises TryAgain instead if no time would be left afterwards.
        """
