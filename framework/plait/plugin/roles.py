"""The roles that a connector may play, and the descriptor that offers them under one word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plait.plugin.context import Context
    from plait.plugin.data import File, Item, Key, ReadFailure, Record, RecordTable, Window, Written
    from plait.plugin.planning import Calls, Statement
    from plait.problems.errors import PlaitError

Order = Literal["none", "position", "time"]
Use = Literal["driver", "lookup", "sink"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a connector: checks, defaults, JSON Schema and docs derive from the annotations."""


class Driver(Protocol):
    """The source whose objects become rows."""

    def accepts(self, uri: str) -> bool:
        """Return whether the source reads the object of this URI."""

    def list(self, window: Window) -> Iterator[Item]:
        """Yield the objects modified within the window, in a stable order."""

    def read(self, items: Sequence[Item]) -> Iterable[Record | ReadFailure]:
        """Yield the records of these objects, in order, and a `ReadFailure` for each object that gave none."""


class Lookup(Protocol):
    """A source that is asked by keys."""

    def fetch(self, keys: Sequence[Key]) -> Iterable[Record | RecordTable]:
        """Yield all records that any of these distinct keys may match, in the source's own order."""


class Sink(Protocol):
    """The place that rows are written to."""

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Write each file, replacing one of the same name; the answers are in the order of the files."""


def _no_names(_options: Any) -> tuple[str, ...]:
    return ()


def _unknown_fields(_options: Any) -> tuple[str, ...] | None:
    return None


def _no_permissions(_options: Any, _use: Use) -> tuple[Statement, ...]:
    return ()


def _no_calls(_options: Any, _use: Use) -> tuple[Calls, ...]:
    return ()


def _no_facts(_options: Any, _context: Context) -> tuple[str, ...]:
    return ()


class Connector(Struct, frozen=True, kw_only=True):
    """What a plugin offers under one word, its `name`.

    The roles: `driver`, `lookup` and `sink` each make an object of that role from the options and a `Context`.

    About records: `row_columns` returns the columns of the row that the options name; each is also a field of
    every record. `known_fields` returns the fields that are known from the options alone, or None if only the
    source knows them. `order` says what the order of a lookup's records means: `none`, `position` (as in a
    file), or `time` (each record has its `time`, and the last is the latest). `gives_binary` says whether a
    value may be bytes.

    About use: `keys_per_call` is how many keys one `fetch` takes, None for all. `needs_window` says that a
    lookup cannot be asked without a `window`. `dated` says that the items of a driver have `modified`.
    `suffix` is how the names of a sink's files end.

    For planning: `permissions` returns the IAM statements that the options need for a use, `calls` the calls
    that a run makes. `facts` asks the service for what `plait check` shows of it, such as a region, and
    writes nothing.

    For `plait package`: `distributions` are those that the connector imports and that its own distribution
    does not always require. `files` returns the local files that the options name, relative to where the
    function runs.

    For cases, which run without services: `offline` says that the connector needs only its options and
    `Context.objects`, so a case runs it as it is. `given` makes a row of a case into the record that the source
    would give, or None if it would give none; it raises BadRecord for a row that the source could not have.
    Without `given`, the row is the record's fields.
    """

    name: str
    summary: str
    options: type[Options]
    driver: Callable[[Any, Context], Driver] | None = None
    lookup: Callable[[Any, Context], Lookup] | None = None
    sink: Callable[[Any, Context], Sink] | None = None
    row_columns: Callable[[Any], Sequence[str]] = _no_names
    known_fields: Callable[[Any], Sequence[str] | None] = _unknown_fields
    order: Order = "none"
    keys_per_call: int | None = None
    dated: bool = True
    suffix: str = ""
    permissions: Callable[[Any, Use], Iterable[Statement]] = _no_permissions
    calls: Callable[[Any, Use], Iterable[Calls]] = _no_calls
    facts: Callable[[Any, Context], Iterable[str]] = _no_facts
    distributions: tuple[str, ...] = ()
    files: Callable[[Any], Sequence[str]] = _no_names
    offline: bool = False
    given: Callable[[Any, Mapping[str, Any]], Record | None] | None = None
    needs_window: bool = False
    gives_binary: bool = True
