"""The contract between plait and connectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import msgspec
import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from logging import Logger

    from plait.problems.errors import BadRecord, PlaitError
    from plait.values.secret import Secrets

hookspec = pluggy.HookspecMarker("plait")
hookimpl = pluggy.HookimplMarker("plait")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a connector; JSON Schema, defaults, docs and checks derive from the annotations."""


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A value of which there may be very many; `msgspec.structs.replace` gives a changed one."""


class Item(Value, frozen=True, kw_only=True, gc=False):
    """One driving object: where it is, and which version of it was seen."""

    uri: str
    size: int | None = None
    modified: datetime | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time, UTC; `since` is part of it, `until` is not."""

    since: datetime | None = None
    until: datetime | None = None


class Record(Value, frozen=True, kw_only=True, gc=False):
    """One record as its source gives it.

    `fields` are raw values by field name. A driver names the `item` it came from, its `position` within
    (empty where the object is one record) and the `raw` bytes. A source in time gives `time`. A record that
    cannot be read carries the `fault`, and in `fields` what is known of it, its key above all.
    """

    fields: Mapping[str, Any]
    item: Item | None = None
    position: str = ""
    raw: bytes = b""
    time: datetime | None = None
    fault: BadRecord | None = None


def _nowhere(_row: int) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTable:
    """Many records of a lookup at once: each row of an Arrow table means what a `Record` of its cells would.

    `position(n)` is the position of row n.
    """

    table: Any
    position: Callable[[int], str] = _nowhere

    def records(self) -> Iterator[Record]:
        """The same, one by one."""
        rows = enumerate(self.table.to_pylist())
        return (Record(fields=fields, position=self.position(n)) for n, fields in rows)


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A driving object that gave no records: deleted (`Missing`), or the error why it could not be read."""

    item: Item
    error: Missing | PlaitError


class Key(Value, frozen=True, kw_only=True, gc=False):
    """What a row asks a lookup for.

    `fields` maps fields of the source to values of the row, in the row's declared types. `since` and `until`
    bound, both inclusive, the time of the records that the row takes, where the source has a `window`.
    """

    fields: Mapping[str, Any]
    since: datetime | None = None
    until: datetime | None = None


class Driver(Protocol):
    """The source whose objects become rows."""

    def accepts(self, uri: str) -> bool:
        """Whether this object is one that the source reads."""

    def list(self, window: Window) -> Iterator[Item]:
        """The objects modified within the window, in a stable order."""

    def read(self, items: Sequence[Item]) -> Iterable[Record | ReadFailure]:
        """The records of these objects, in their order; an `ReadFailure` for each object that gave none."""


class Lookup(Protocol):
    """A source that is asked by keys."""

    def fetch(self, keys: Sequence[Key]) -> Iterable[Record | RecordTable]:
        """All records that any of these distinct keys may match, in the source's own order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Rows for one file: `folder` is the partition (`date=2026-07-01/`), `name` is without extension."""

    table: Any
    folder: str
    name: str
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file as it lies in the sink; `bytes` is its size."""

    uri: str
    rows: int
    bytes: int


class Sink(Protocol):
    """Where rows go."""

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Write each file, the answers in the order of the files; a file of the same name is replaced."""


class StoredObject(Value, frozen=True, kw_only=True, gc=False):
    """The bytes of an object, and which version they are."""

    item: Item
    data: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """No object has this URI."""

    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Bytes to store at a URI; `source` is the driving object that they were made from."""

    uri: str
    data: bytes
    source: Item | None = None


@runtime_checkable
class Objects(Protocol):
    """Objects on `s3://` and in local folders, many at once."""

    def list(self, prefix: str) -> Iterator[Item]:
        """The objects whose URI begins with the prefix, sorted by URI; raises GiveUp, TryAgain."""

    def get(
        self, uris: Sequence[str], limit: int | None = None
    ) -> Iterator[StoredObject | Missing | PlaitError]:
        """The objects' bytes, in the order of the URIs; of one larger than `limit` only the facts, no bytes."""

    def put(self, puts: Sequence[Put]) -> Sequence[Written | PlaitError]:
        """Store each; with a `source`, only while nothing newer stands there, else `Changed`."""

    def remove(self, items: Sequence[Item]) -> Sequence[PlaitError | None]:
        """Remove each object if it is still the version of the item, else `Changed`; None where it is no more."""


class Context(Protocol):
    """What plait lends to a connector."""

    @property
    def source(self) -> str:
        """The name of the block in the spec."""

    @property
    def fields(self) -> tuple[str, ...] | None:
        """The top-level fields that the spec takes from this source; None means all."""

    @property
    def log(self) -> Logger:
        """A logger of the block's own."""

    @property
    def objects(self) -> Objects:
        """Objects on `s3://` and in local folders."""

    def now(self) -> datetime:
        """The time, UTC."""

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made once per process, its calls counted, its retries its own."""

    def secret(self, name: str, *, fresh: bool = False) -> Secrets:
        """A secret that is a JSON mapping, kept in memory; raises GiveUp without showing a value.

        Each text in it is a `Secret`, which is shown as `***`; `secret["password"].reveal()` is the text.
        """

    def count(self, operation: str, calls: int = 1) -> None:
        """Count calls that no boto3 client makes, such as `mysql:Query`, before they are made.

        Raises TryAgain where no time is left for them, as clients of boto3 do by themselves.
        """

    def timeout(self) -> float:
        """How many seconds a call may go unanswered now; raises TryAgain where no time is left."""

    def pause(self, attempt: int) -> None:
        """Wait before the next try, at random and longer from one attempt (1, 2, …) to the next.

        Raises TryAgain instead where there would be no time left afterwards.
        """


Order = Literal["none", "position", "time"]
Use = Literal["driver", "lookup", "sink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """IAM actions that calls need on resources, and why, for whoever reviews the policy.

    In the ARNs of `resources` stand `${AWS::Partition}`, `${AWS::Region}` and `${AWS::AccountId}` for where
    the function runs. A resource with a `*` that is wider than what is used says so in `why`.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str


def _none(_options: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How often an operation is called: `quantity` times, or once for each `per` of it in a batch.

    Quantities are `objects` that are read, `listings` (pages of a listing), `keys` that a lookup is asked for,
    `pages` of its answers, `files` that are written, `replaced` (files that were there before) and `starts` (of
    a process). `units` are what the service charges for each of the quantity instead of for each call, such as
    a read unit for each key. Calls of one `once` are made once however many sources need them.
    """

    operation: str
    quantity: Literal["objects", "listings", "keys", "pages", "files", "replaced", "starts"]
    per: int = 1
    units: float | None = None
    once: str = ""


def _no_calls(_options: Any, _use: Use) -> tuple[Calls, ...]:
    return ()


def _no_facts(_options: Any, _context: Context) -> tuple[str, ...]:
    return ()


def _no_permissions(_options: Any, _use: Use) -> tuple[Statement, ...]:
    return ()


def _unknown(_options: Any) -> tuple[str, ...] | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """What a plugin offers under one word.

    `order` says what the order of a lookup's records means: `none`, `position` (as in a file), or `time` (then
    each record has its `time`, and the last is the latest). `row_columns` are the columns of the row that the
    options name; each is also a field of every record. `known_fields` are the fields that the options alone
    tell; None means that only the source knows. `keys_per_call` is how many keys one `fetch` takes; None
    means all. `dated` says that the items of a driver have their `modified`. `suffix` is how the names of a
    sink's files end. `permissions` are the IAM statements that the options need for a use, `calls` what
    a run calls; `facts` asks the service what `plait check` tells of it, such as a region, and writes nothing. `needs_window` says that a lookup cannot be asked without a `window`, `gives_binary` that a
    value may be bytes.

    `distributions` and `files` are for `plait package`: the distributions that the connector imports and its own
    does not always require, and the local files that the options name, relative to where the function runs.

    `offline` and `given` are for cases, which run without services. `offline` says that the options and
    `Context.objects` are all that is needed, so a case runs the connector as it is. `given` makes a row that
    a case gives into the record that the source would give, None where it would give none; it raises
    BadRecord for what is no row of it. Without `given` the row is the record's fields.
    """

    name: str
    summary: str
    options: type[Options]
    driver: Callable[[Any, Context], Driver] | None = None
    lookup: Callable[[Any, Context], Lookup] | None = None
    sink: Callable[[Any, Context], Sink] | None = None
    row_columns: Callable[[Any], Sequence[str]] = _none
    known_fields: Callable[[Any], Sequence[str] | None] = _unknown
    order: Order = "none"
    keys_per_call: int | None = None
    dated: bool = True
    suffix: str = ""
    permissions: Callable[[Any, Use], Iterable[Statement]] = _no_permissions
    calls: Callable[[Any, Use], Iterable[Calls]] = _no_calls
    facts: Callable[[Any, Context], Iterable[str]] = _no_facts
    distributions: tuple[str, ...] = ()
    files: Callable[[Any], Sequence[str]] = _none
    offline: bool = False
    given: Callable[[Any, Mapping[str, Any]], Record | None] | None = None
    needs_window: bool = False
    gives_binary: bool = True


class Hooks:
    """The hooks of plait."""

    @hookspec
    def plait_connectors(self) -> list[Connector]:
        """Return the connectors that this module offers."""
        raise AssertionError
