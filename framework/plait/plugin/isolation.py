"""Turn any failure of a third-party connector into an error that names it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from traceback import extract_tb, print_exception
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from msgspec import ValidationError, convert
from msgspec.structs import fields

from plait.aws.errors import meaning
from plait.plugin.data import Item, Missing, ReadFailure, Record, RecordTable, Written
from plait.plugin.planning import Calls, Quantity, Statement
from plait.plugin.roles import ContractViolation
from plait.problems.errors import BadRecord, GiveUp, PlaitError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait.plugin.context import Context
    from plait.plugin.data import Key
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
LISTS: dict[str, tuple[type, ...]] = {
    "permissions": (Statement,),
    "calls": (Calls,),
    "sample": (Record,),
    **dict.fromkeys(("remarks", "facts", "local_files", "row_columns", "known_fields"), (str,)),
}
PARTS: dict[type, dict[str, tuple[type, ...]]] = {
    Item: {
        "uri": (str,),
        "size": (int, NoneType),
        "modified": (datetime, NoneType),
        "etag": (str, NoneType),
    },
    Record: {
        "fields": (Mapping,),
        "item": (Item, NoneType),
        "position": (str,),
        "raw": (bytes,),
        "time": (datetime, NoneType),
        "fault": (BadRecord, NoneType),
    },
    ReadFailure: {"item": (Item,), "error": (Missing, PlaitError)},
    Written: {"uri": (str,), "rows": (int,), "bytes": (int,)},
}
PLACE = re.compile(r'[.\["]')
MEANT = {
    "actions": "a tuple of texts",
    "resources": "a tuple of texts",
    "quantity": f"one of {', '.join(get_args(Quantity))}",
    "per": "a whole number from 1 on",
    "units": "a number or None",
    "parted": "True or False",
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
        raise kind(f"{subject} failed: {describe(error)}", code="broken-connector", help=help) from error


def describe(error: BaseException) -> str:
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
            if name == "keys_per_call" and attribute is not None:
                _check_type(name, attribute, (int,))
                if attribute < 1:
                    raise ContractViolation("its `keys_per_call` is less than 1")
        if not callable(attribute):
            return attribute
        return partial(self._stream if name in STREAMS else self._call, name, attribute)

    def _stream(self, name: str, method: Callable[..., Any], argument: Any) -> Iterator[Any]:
        """Yield the answers of a method; raises GiveUp or TryAgain."""
        with isolated(self._connector):
            answers = method(argument)
            _check_type(name, answers, (Iterable,))
            for number, answer in enumerate(answers):
                _check_type(name, answer, STREAMS[name])
                if (
                    name == "read"
                    and isinstance(answer, Record)
                    and answer.position
                    and not self.position_word
                ):
                    raise ContractViolation(
                        "a record has a `position`, and `position_word` does not say of what"
                    )
                if name == "fetch" and number == 0 and argument:
                    _check_key(answer, argument[0])
                yield answer

    def _call(self, name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        """Return the answer of a method, an iterator as the list of its elements; raises GiveUp or TryAgain."""
        with isolated(self._connector):
            answer = method(*arguments)
            answer = [*answer] if isinstance(answer, Iterator) else answer
            if name in LISTS and not (name == "known_fields" and answer is None):
                answer = _list_of(name, answer)
            if name == "kept_since":
                _check_type(name, answer, (datetime, NoneType))
            if name in ANSWERS_FOR_EACH:
                _check_type(name, answer, (Sequence,))
                for part in answer:
                    _check_type(name, part, ANSWERS_FOR_EACH[name])
                if len(answer) != len(arguments[0]):
                    things = "files" if name == "write" else "objects"
                    raise ContractViolation(f"it gave {len(answer)} answers for {len(arguments[0])} {things}")
            return answer


def _check_key(answer: Record | RecordTable, key: Key) -> None:
    """Raise ContractViolation if a field of the key, which may be a place within another, is none of an answer's."""
    names = answer.fields if isinstance(answer, Record) else answer.table.column_names
    for name in key.fields:
        if name not in names and not PLACE.search(name):
            raise ContractViolation(f"a record has no field `{name[:40]}`, by which it was asked")


def _list_of(name: str, answer: Any) -> list[Any]:
    """Return the answer of a method that gives several things as a list; raises ContractViolation."""
    if isinstance(answer, (str, bytes, Mapping)) or not isinstance(answer, Iterable):
        _check_type(name, answer, (list,))
    parts = [*answer]
    for part in parts:
        _check_type(name, part, LISTS[name])
        if isinstance(part, (Statement, Calls)):
            _check_fields(part)
    return parts


def _check_fields(part: Statement | Calls) -> None:
    for field in fields(part):
        try:
            convert(getattr(part, field.name), field.type)
        except ValidationError as error:
            meant = MEANT.get(field.name, "a text")
            message = f"`{field.name}` of a {type(part).__name__} is {meant}"
            raise ContractViolation(message) from error


def _check_type(name: str, answer: Any, types: tuple[type, ...]) -> None:
    """Raise ContractViolation if an answer is of another type, or a part of it is."""
    if not isinstance(answer, types):
        raise _violation(answer, f"`{name}`", types)
    for part, part_types in PARTS.get(type(answer), {}).items():
        if not isinstance(getattr(answer, part), part_types):
            place = f"`{part}` of `{type(answer).__name__}`"
            raise _violation(getattr(answer, part), place, part_types)


def _violation(answer: Any, place: str, types: tuple[type, ...]) -> ContractViolation:
    kinds = " or ".join("None" if kind is NoneType else kind.__name__ for kind in types)
    return ContractViolation(
        f"it gave something of the kind {type(answer).__name__[:40]} in {place}, not {kinds}"
    )
