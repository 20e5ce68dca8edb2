"""The roles that a connector may play, and the descriptor that offers them under one word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

import msgspec

from plait.plugin.data import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from plait.plugin.context import Context
    from plait.plugin.data import File, Item, Key, ReadFailure, RecordTable, Settled, Window, Written
    from plait.plugin.planning import Calls, Statement
    from plait.problems.errors import PlaitError

Order = Literal["none", "position", "time"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a connector: checks, defaults, JSON Schema and docs derive from the annotations."""


Opts = TypeVar("Opts", bound=Options)


class ContractViolation(Exception):
    """A connector did something that the contract does not allow; the message is for its author."""


class Role(Generic[Opts]):
    """What a driver, a lookup and a sink have in common: plait makes one from the options of a block and its context.

    While plait validates, plans and writes policies there is no context, so `__init__`, `permissions`, `calls`,
    `local_files` and what else tells about the options have to do without. `distributions` are those that the connector
    imports and that its own distribution does not always require.
    """

    distributions: tuple[str, ...] = ()

    def __init__(self, options: Opts, context: Context | None = None) -> None:
        self.options = options
        self._context = context

    @property
    def context(self) -> Context:
        """What plait lends to the role in a run; raises ContractViolation while plait only plans."""
        if self._context is None:
            raise ContractViolation(
                "it asked for its `context` while there is none: plait plans and calls nothing"
            )
        return self._context

    def prepare(self) -> None:
        """Import libraries and make clients, but call no service: a function does this once, when its process starts."""

    def permissions(self) -> Iterable[Statement]:
        """Return the IAM statements that the options need."""
        return ()

    def calls(self) -> Iterable[Calls]:
        """Return the calls that a run makes."""
        return ()

    def remarks(self) -> Iterable[str]:
        """Return what the options permit and whoever reviews them should know, for `plait plan` and `plait check`."""
        return ()

    def facts(self) -> Iterable[str]:
        """Ask the service for what `plait check` shows of it, such as a region; only read."""
        return ()

    def local_files(self) -> Sequence[str]:
        """Return the local files that the options name, relative to where the function runs, for `plait package`."""
        return ()


R = TypeVar("R", bound=Role[Any])


class SourceRole(Role[Opts]):
    """What a driver and a lookup have in common: they give records.

    `gives_binary` and `gives_nested` say whether a value may be bytes, or a list or mapping. `offline` says that the role
    needs only its options and `Context.objects`, so a case runs it as it is.
    """

    gives_binary: bool = True
    gives_nested: bool = True
    offline: bool = False

    def known_fields(self) -> Sequence[str] | None:
        """Return all fields of the records, if the options alone tell them; None means that only the source knows them."""
        return None

    def record_of_case(self, row: Mapping[str, Any]) -> Record | None:
        """Return the record that the source would give for a row of a case, or None if it would give none.

        Raises BadRecord for a row that the source could not have.
        """
        return Record(fields=row)


class Driver(SourceRole[Opts], ABC):
    """The source whose objects become rows; `dated` says that its items have `modified`.

    `position_word` says what the `position` of a record counts, such as `line`; it is empty where each object is one record.
    """

    dated: bool = True
    position_word: str = ""

    @abstractmethod
    def accepts(self, uri: str) -> bool:
        """Return whether the source reads the object of this URI."""

    @abstractmethod
    def list(self, window: Window) -> Iterable[Item]:
        """Yield the objects modified within the window, in a stable order."""

    @abstractmethod
    def read(self, items: Sequence[Item]) -> Iterable[Record | ReadFailure]:
        """Yield the records of these objects, in order, and a `ReadFailure` for each object that gave none."""


class Lookup(SourceRole[Opts], ABC):
    """A source that is asked by keys.

    `keys_per_call` is how many keys one `fetch` takes, None for all. `order` says what the order of the records
    means: `none`, `position` (as in a file), or `time` (each record has its `time`, and the last is the latest).
    `needs_window` says that it cannot be asked without a `window`, `repeats_key` that each record repeats the fields
    of its key, whatever they are called; `known_fields` are then those beside them.
    """

    keys_per_call: int | None = None
    order: Order = "none"
    needs_window: bool = False
    repeats_key: bool = False

    def row_columns(self) -> Sequence[str]:
        """Return the columns of the row that the options name, as in a path; each is also a field of every record."""
        return ()

    def sample(self) -> Iterable[Record]:
        """Ask for some records, or for one with values such as the types of the source allow.

        `plait check` says which of the declared columns none of them fits.
        """
        return ()

    def kept_since(self) -> datetime | None:
        """Ask the service from which time on it still has records, in UTC; None means that it has all."""
        return None

    @abstractmethod
    def fetch(self, keys: Sequence[Key]) -> Iterable[Record | RecordTable]:
        """Yield all records that any of these distinct keys may match, in the source's own order."""


class Sink(Role[Opts], ABC):
    """The place that rows are written to; `suffix` is how the names of its files end."""

    suffix: str = ""

    @abstractmethod
    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Write each file, replacing one of the same name; the answers are in the order of the files."""

    def commit(self, settled: Sequence[Settled]) -> Sequence[PlaitError | None]:
        """Publish the rows of these objects at once, in place of what stood of them, and answer None or the error of each.

        It is called once for each batch, after its files are written and its bad records are in quarantine. A process
        may end before it, and after it before the batch counts as done: then the same objects are written and committed again.
        """
        return [None] * len(settled)


class Connector(msgspec.Struct, frozen=True):
    """What a plugin offers under one word, its `name`: a summary in a line, the options, and the roles it plays.

    plait sets `distribution` of a connector that is not its own, such as "`plait-outsider` 1.0".
    """

    name: str
    summary: str
    options: type[Options]
    driver: type[Driver[Any]] | None = None
    lookup: type[Lookup[Any]] | None = None
    sink: type[Sink[Any]] | None = None
    distribution: str = ""

    def open(self, role: type[R] | None, options: Any, context: Context | None = None) -> R:
        """Make one of the roles, isolated if the connector is not plait's own; without a context it can only plan."""
        assert role is not None  # noqa: S101 - validated
        if not self.distribution:
            return role(options, context)
        from plait.plugin.isolation import IsolatedRole

        return cast("R", IsolatedRole(self, role, options, context))
