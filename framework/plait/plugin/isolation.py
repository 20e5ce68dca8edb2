"""What a connector of another distribution raises is told as that connector's failure, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from plait.aws.errors import meaning
from plait.plugin.contract import Connector, Item, ReadFailure, Record, RecordTable, Written
from plait.problems.errors import GiveUp, PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from plait.plugin.contract import Context, File, Key, Window

FUNCTIONS = ("row_columns", "known_fields", "permissions", "calls", "facts", "files", "given")


class ContractViolation(Exception):
    """A connector gave what the contract does not know."""


@dataclass(frozen=True, slots=True)
class Blame:
    """A connector's word, and the distribution and version that it is of."""

    word: str
    whose: str

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Within, what is no error of plait becomes one that names the connector; what left the process goes on.

        Of a foreign error the kind and the line are told, and not its text, which may show a secret or a record.
        """
        try:
            yield
        except PlaitError:
            raise
        except (Exception, SystemExit) as error:
            found = meaning(error) if isinstance(error, Exception) else None
            kind = TryAgain if found and found.kind is TryAgain else GiveUp
            message = f"the connector `{self.word}` of {self.whose} failed: {_told(error)}"
            help = f"tell those who maintain {self.whose.partition(' ')[0]}"
            raise kind(message, code="broken-connector", help=help) from error

    def each(self, function: Callable[[Any], Iterable[Any]], argument: Any, *kinds: type) -> Iterator[Any]:
        """What a function answers one by one; raises GiveUp where an answer is of no such kind."""
        with self():
            for answer in function(argument):
                if not isinstance(answer, kinds):
                    raise ContractViolation(f"it gave something of the kind {type(answer).__name__[:40]}")
                yield answer

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function answers, all of it."""
        with self():
            answer = function(*arguments)
            return [*answer] if isinstance(answer, Iterator) else answer


def _told(error: BaseException) -> str:
    if isinstance(error, ContractViolation):
        return str(error)
    last = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__[:40]} in line {last.lineno} of `{last.filename.rsplit('/', 1)[-1][:60]}`"


def guarded(connector: Connector, whose: str) -> Connector:
    """The connector, of which every failure names `whose` it is, such as "`plait-outsider` 1.0"."""
    blame = Blame(connector.name, whose)
    parts: dict[str, Any] = {
        name: partial(blame.call, function) for name in FUNCTIONS if (function := getattr(connector, name))
    }
    for name, kind in (("driver", TheirDriver), ("lookup", TheirLookup), ("sink", TheirSink)):
        if make := getattr(connector, name):
            parts[name] = partial(kind, blame, make)
    return replace(connector, **parts)


class Theirs:
    """A part of a connector, opened."""

    def __init__(self, blame: Blame, make: Callable[..., Any], options: Any, context: Context) -> None:
        self.blame = blame
        self.part = blame.call(make, options, context)

    def prepare(self) -> None:
        """Do what needs no event, where the part has anything of that kind."""
        if hasattr(self.part, "prepare"):
            self.blame.call(self.part.prepare)


class TheirDriver(Theirs):
    """A driver."""

    def accepts(self, uri: str) -> bool:
        """Whether it reads this object."""
        return bool(self.blame.call(self.part.accepts, uri))

    def list(self, window: Window) -> Iterator[Item]:
        """Its objects."""
        return self.blame.each(self.part.list, window, Item)

    def read(self, items: Sequence[Item]) -> Iterator[Record | ReadFailure]:
        """Its records."""
        return self.blame.each(self.part.read, items, Record, ReadFailure)


class TheirLookup(Theirs):
    """A look-up."""

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record | RecordTable]:
        """Its records."""
        return self.blame.each(self.part.fetch, keys, Record, RecordTable)


class TheirSink(Theirs):
    """A sink."""

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Write each file."""
        with self.blame():
            answers = [*self.blame.each(self.part.write, files, Written, PlaitError)]
            if len(answers) != len(files):
                raise ContractViolation(f"it gave {len(answers)} answers for {len(files)} files")
        return answers
