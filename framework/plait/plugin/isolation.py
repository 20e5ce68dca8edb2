"""Turn any failure of a third-party connector into an error that names the connector and its distribution."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from plait.aws.errors import meaning
from plait.plugin.data import Item, ReadFailure, Record, RecordTable, Written
from plait.problems.errors import GiveUp, PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from plait.plugin.context import Context
    from plait.plugin.data import File, Key, Window
    from plait.plugin.roles import Connector

DESCRIPTOR_FUNCTIONS = ("row_columns", "known_fields", "permissions", "calls", "facts", "files", "given")


class ContractViolation(Exception):
    """A connector answered something that the contract does not allow."""


class Isolation(Struct, frozen=True):
    """Calls a connector's functions and names the connector in each of their failures.

    `word` is the connector's word, `distribution` the distribution that offers it, with its version, such as
    "`plait-outsider` 1.0".
    """

    word: str
    distribution: str

    @contextmanager
    def naming_failures(self) -> Iterator[None]:
        """Raise any exception that is no PlaitError as GiveUp or TryAgain; KeyboardInterrupt passes through.

        The message shows the type and the line of the exception, never its text, which may hold a secret or
        a record.
        """
        try:
            yield
        except PlaitError:
            raise
        except (Exception, SystemExit) as error:
            cause = meaning(error) if isinstance(error, Exception) else None
            kind = TryAgain if cause and cause.error is TryAgain else GiveUp
            message = f"the connector `{self.word}` of {self.distribution} failed: {_description(error)}"
            help = f"tell those who maintain {self.distribution.partition(' ')[0]}"
            raise kind(message, code="broken-connector", help=help) from error

    def iterate(self, function: Callable[[Any], Iterable[Any]], argument: Any, *types: type) -> Iterator[Any]:
        """Yield the answers of a function; raises GiveUp if one of them has none of these types."""
        with self.naming_failures():
            for answer in function(argument):
                if not isinstance(answer, types):
                    raise ContractViolation(f"it gave something of the kind {type(answer).__name__[:40]}")
                yield answer

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return the answer of a function, an iterator as the list of its elements; raises GiveUp or TryAgain."""
        with self.naming_failures():
            answer = function(*arguments)
            return [*answer] if isinstance(answer, Iterator) else answer


def _description(error: BaseException) -> str:
    """The type of an exception and where it was raised; for a ContractViolation, its message."""
    if isinstance(error, ContractViolation):
        return str(error)
    last = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__[:40]} in line {last.lineno} of `{last.filename.rsplit('/', 1)[-1][:60]}`"


def isolate(connector: Connector, distribution: str) -> Connector:
    """Return the connector with all of its functions and roles isolated; see `Isolation` for `distribution`."""
    isolation = Isolation(connector.name, distribution)
    isolated: dict[str, Any] = {
        name: partial(isolation.call, function)
        for name in DESCRIPTOR_FUNCTIONS
        if (function := getattr(connector, name))
    }
    for name, role in (("driver", IsolatedDriver), ("lookup", IsolatedLookup), ("sink", IsolatedSink)):
        if make := getattr(connector, name):
            isolated[name] = partial(role, isolation, make)
    return replace(connector, **isolated)


class IsolatedRole:
    """A driver, lookup or sink of a third-party connector, made from its options and a context."""

    def __init__(
        self, isolation: Isolation, make: Callable[..., Any], options: Any, context: Context
    ) -> None:
        self.isolation = isolation
        self.role = isolation.call(make, options, context)

    def prepare(self) -> None:
        """Let the role prepare itself before the first event, if it can."""
        if hasattr(self.role, "prepare"):
            self.isolation.call(self.role.prepare)


class IsolatedDriver(IsolatedRole):
    """A driver whose failures name its connector."""

    def accepts(self, uri: str) -> bool:
        """Return whether the driver reads the object of this URI."""
        return bool(self.isolation.call(self.role.accepts, uri))

    def list(self, window: Window) -> Iterator[Item]:
        """Yield the driver's objects; each has to be an `Item`."""
        return self.isolation.iterate(self.role.list, window, Item)

    def read(self, items: Sequence[Item]) -> Iterator[Record | ReadFailure]:
        """Yield the driver's records; each has to be a `Record` or a `ReadFailure`."""
        return self.isolation.iterate(self.role.read, items, Record, ReadFailure)


class IsolatedLookup(IsolatedRole):
    """A lookup whose failures name its connector."""

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record | RecordTable]:
        """Yield the lookup's records; each has to be a `Record` or a `RecordTable`."""
        return self.isolation.iterate(self.role.fetch, keys, Record, RecordTable)


class IsolatedSink(IsolatedRole):
    """A sink whose failures name its connector."""

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Write each file; there has to be one answer for each, `Written` or a PlaitError."""
        with self.isolation.naming_failures():
            answers = [*self.isolation.iterate(self.role.write, files, Written, PlaitError)]
            if len(answers) != len(files):
                raise ContractViolation(f"it gave {len(answers)} answers for {len(files)} files")
        return answers
