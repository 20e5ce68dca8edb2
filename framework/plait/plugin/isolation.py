"""Turn any failure of a third-party connector into an error that names it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from traceback import extract_tb, print_exception
from types import NoneType
from typing import TYPE_CHECKING, Any

from plait.aws.errors import meaning
from plait.plugin.data import Item, ReadFailure, Record, RecordTable, Written
from plait.plugin.roles import ContractViolation
from plait.problems.errors import GiveUp, PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait.plugin.context import Context
    from plait.plugin.roles import Connector, Role

STREAMS: dict[str, tuple[type, ...]] = {
    "list": (Item,),
    "read": (Record, ReadFailure),
    "fetch": (Record, RecordTable),
}
ANSWERS_FOR_EACH: dict[str, tuple[type, ...]] = {
    "write": (Written, PlaitError),
    "commit": (NoneType, PlaitError),
}


_shows_tracebacks = [False]


@contextmanager
def tracebacks_shown() -> Iterator[None]:
    """Print the traceback of each failure of a third-party connector, which may show values and secrets."""
    _shows_tracebacks.append(True)
    try:
        yield
    finally:
        _shows_tracebacks.pop()


def show_traceback(error: BaseException) -> None:
    """Print the traceback of a connector's failure on standard error, where that is asked for."""
    if _shows_tracebacks[-1]:
        print_exception(error)


@contextmanager
def isolated(connector: Connector) -> Iterator[None]:
    """Raise any exception that is no PlaitError as GiveUp or TryAgain; KeyboardInterrupt passes through.

    The message shows the type and the line of the exception, never its text, which may hold a secret or a record.
    """
    try:
        yield
    except PlaitError:
        raise
    except (Exception, SystemExit) as error:
        show_traceback(error)
        cause = meaning(error) if isinstance(error, Exception) else None
        kind = TryAgain if cause and cause.error is TryAgain else GiveUp
        subject = f"the connector `{connector.name}` of {connector.distribution}"
        help = f"tell those who maintain {connector.distribution.partition(' ')[0]}"
        raise kind(f"{subject} failed: {_description(error)}", code="broken-connector", help=help) from error


def _description(error: BaseException) -> str:
    """The type of an exception and where it was raised; for a ContractViolation, its message."""
    if isinstance(error, ContractViolation):
        return str(error)
    last = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__[:40]} in line {last.lineno} of `{last.filename.rsplit('/', 1)[-1][:60]}`"


class IsolatedRole:
    """A role of a third-party connector: each failure of its methods names the connector, each answer is checked."""

    def __init__(
        self, connector: Connector, role: type[Role[Any]], options: Any, context: Context | None
    ) -> None:
        self._connector = connector
        with isolated(connector):
            self._role = role(options, context)

    def __getattr__(self, name: str) -> Any:
        with isolated(self._connector):
            attribute = getattr(self._role, name)
        if not callable(attribute):
            return attribute
        return partial(self._stream if name in STREAMS else self._call, name, attribute)

    def _stream(self, name: str, method: Callable[..., Any], argument: Any) -> Iterator[Any]:
        """Yield the answers of a method; raises GiveUp or TryAgain."""
        with isolated(self._connector):
            answers = method(argument)
            _check_type(answers, (Iterable,))
            for answer in answers:
                _check_type(answer, STREAMS[name])
                yield answer

    def _call(self, name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        """Return the answer of a method, an iterator as the list of its elements; raises GiveUp or TryAgain."""
        with isolated(self._connector):
            answer = method(*arguments)
            answer = [*answer] if isinstance(answer, Iterator) else answer
            if name in ANSWERS_FOR_EACH:
                _check_type(answer, (Sequence,))
                for part in answer:
                    _check_type(part, ANSWERS_FOR_EACH[name])
                if len(answer) != len(arguments[0]):
                    things = "files" if name == "write" else "objects"
                    raise ContractViolation(f"it gave {len(answer)} answers for {len(arguments[0])} {things}")
            return answer


def _check_type(answer: Any, types: tuple[type, ...]) -> None:
    if not isinstance(answer, types):
        raise ContractViolation(f"it gave something of the kind {type(answer).__name__[:40]}")
