"""Build the columns of a source and its decode steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from plait.language.column_keys import STEPS, STEPS_WITH_ARGUMENT, ColumnBlock, StepBlock
from plait.language.spec import Column
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.values import types
from plait.values.convert import ConversionError, convert
from plait.values.decode import Step
from plait.values.patterns import Expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.build.values import Reader
    from plait.language.source_map import KeyPath

MAX_REGEX_LENGTH = 500
DEFAULT_HELPS = {
    "date": "write it as `2026-07-01`",
    "timestamp": "write it as `2026-07-01T13:00:00Z`",
}


def build_columns(blocks: Mapping[str, Any], path: KeyPath, reader: Reader) -> tuple[Column, ...]:
    """The columns of a source."""
    columns = (_build_column(name, block, (*path, name), reader) for name, block in blocks.items())
    return tuple(column for column in columns if column)


def _build_column(name: str, block: Any, path: KeyPath, reader: Reader) -> Column | None:
    if isinstance(block, str):
        kind = reader.call(path, types.parse, block)
        return Column(name=name, type=kind, origin=name, selector=(name,)) if kind else None
    values = reader.struct(ColumnBlock, block, path)
    if values is None:
        return None
    default = None
    if values.default is not msgspec.UNSET and values.default is not None:
        default = reader.call((*path, "default"), _convert_default, values.default, values.type.kind)
    return Column(
        name=name,
        type=values.type.kind,
        origin=values.from_.text if values.from_ else name,
        selector=values.from_.steps if values.from_ else (name,),
        required=values.required,
        default=default,
    )


def _convert_default(value: Any, kind: types.Type) -> Any:
    """The default as a value of the column's type; raises SpecValueError."""
    if kind.word == "binary":
        message = "no default can be written for binary"
        raise SpecValueError(message, code="wrong-default", help="remove it")
    try:
        return convert(value, kind)
    except ConversionError as error:
        got = str(error).partition(", got ")[2]
        message = f"the column is `{kind}`, and its default {got}" if got else f"the default {error}"
        help = DEFAULT_HELPS.get(kind.word) or error.help or "write one, or leave `default` out for null"
        help = "put it in quotes" if kind.word == "string" and isinstance(value, (int, float)) else help
        is_boolean = kind.word == "boolean"  # the help depends on the value, as only the checker can say
        raise SpecValueError(message, code="wrong-default", help=None if is_boolean else help) from error


def build_decode(
    blocks: Mapping[str, list[Any]], path: KeyPath, reader: Reader
) -> dict[str, tuple[Step, ...]]:
    """The decode steps of each field."""
    return {
        field: tuple(
            step
            for number, block in enumerate(steps)
            if (step := _build_step(block, (*path, field, number), reader))
        )
        for field, steps in blocks.items()
    }


def _build_step(block: str | dict[str, Any], path: KeyPath, reader: Reader) -> Step | None:
    if isinstance(block, str):
        return reader.call(path, _step_without_argument, block)
    (word,) = block
    values = reader.struct(StepBlock, block, path)
    argument = getattr(values, word, None)
    if word == "regex" and argument is not None:
        argument = reader.call((*path, word), read_regex, argument)
    return None if argument is None else Step(word, argument)  # type: ignore[arg-type]


def _step_without_argument(word: str) -> Step:
    if word in STEPS and word not in STEPS_WITH_ARGUMENT:
        return Step(word)  # type: ignore[arg-type]
    raise SpecValueError(
        f"no decode step is called {excerpt(word)}", code="unknown-step", part=word, words=STEPS
    )


def read_regex(text: str) -> Expression:
    """Read a user's regular expression; raises SpecValueError if it is no expression of RE2 with named groups."""
    if len(text) > MAX_REGEX_LENGTH:
        message = f"the expression is longer than {MAX_REGEX_LENGTH} characters"
        raise SpecValueError(message, code="wrong-regex", help="shorten it")
    try:
        expression = Expression.parse(text)
    except ValueError as error:
        message = f"the expression cannot be read: {str(error)[:80]}"
        help = "mend it; it is in RE2's syntax, which knows no look-around and no backreferences"
        raise SpecValueError(message, code="wrong-regex", help=help) from None
    if not expression.names:
        message = "the expression has no named group, so it gives no field"
        raise SpecValueError(message, code="wrong-regex", help="name what is wanted, as in `(?P<id>[0-9]+)`")
    return expression
