"""Read the columns of a source and its decode steps into frozen values, reporting their problems."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from plait.language.drafts.collector import BlockValues, ProblemCollector, add_wrong_kind, read_keys
from plait.language.keys import STEPS, STEPS_WITH_ARGUMENT, ColumnBlock
from plait.language.spec import Column
from plait.language.struct_fields import fields_of
from plait.language.wording import correction, flow_style, kind_of
from plait.plugin import Pattern
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for, nearest
from plait.values import types
from plait.values.convert import ConversionError, convert
from plait.values.decode import Step
from plait.values.safe_regex import Expression

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
MAX_NAME_LENGTH = 255
EPOCH_UNITS = ("s", "ms", "us")
MAX_REGEX_LENGTH = 500
EXAMPLE_ARGUMENTS = {"epoch": "s", "pattern": "order {id}", "regex": "(?P<id>[0-9]+)"}
STEP_HELP = "write a word such as `base64`, or `{epoch: s}`"


def check_name(name: str, path: KeyPath, collector: ProblemCollector) -> bool:
    """Whether a key may be the name of a column, a source or a partition column; reports why not."""
    if IDENTIFIER.match(name) and len(name) <= MAX_NAME_LENGTH:
        return True
    if len(name) > MAX_NAME_LENGTH:
        collector.add_at_key(
            path, "bad-name", f"a name has at most {MAX_NAME_LENGTH} characters", help="shorten it"
        )
        return False
    likely = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    help = f"did you mean `{likely[:40]}`?" if IDENTIFIER.match(likely) else "begin with a letter or `_`"
    collector.add_at_key(
        path, "bad-name", f"{excerpt(name)} is no name of letters, digits and `_`", help=help
    )
    return False


def read_columns(
    blocks: dict[str, Any], path: KeyPath, collector: ProblemCollector
) -> dict[str, Column | None]:
    """Read each column, by its name; None for one that could not be read."""
    return {name: _read_column(name, block, (*path, name), collector) for name, block in blocks.items()}


def _read_column(name: str, block: Any, path: KeyPath, collector: ProblemCollector) -> Column | None:
    if not check_name(name, path, collector):
        return None
    if isinstance(block, str):
        kind = read_type(block, path, collector)
        return Column(name=name, type=kind, origin=name, selector=(name,)) if kind else None
    if not isinstance(block, dict):
        add_wrong_kind(block, "a type", path, collector, f"write its type, as in `{name[:40]}: string`")
        return None
    kind = None
    if isinstance(block.get("type"), str):
        kind = read_type(block["type"], (*path, "type"), collector)
        block = {**block, "type": "string"}
    values = read_keys(fields_of(ColumnBlock), block, path, collector)
    if not values.complete or not isinstance(kind, types.Type):
        return None
    place = values.get("from")
    default = _read_default(values, kind, path, collector)
    return Column(
        name=name,
        type=kind,
        origin=place.text if place else name,
        selector=place.steps if place else (name,),
        required=bool(values.get("required")),
        default=default,
    )


def read_type(text: str, path: KeyPath, collector: ProblemCollector) -> types.Type | None:
    """Read a type; None after reporting a problem with the word that was meant."""
    try:
        return types.parse(text)
    except SpecValueError as error:
        error.help = error.help or _type_help(str(error.part))
        collector.add_error(path, error)
        return None


def _type_help(text: str) -> str:
    """Suggest the word that was meant; if brackets follow, one that takes brackets."""
    base = types.FIRST_WORD.match(text)
    rest = text[base.end() :] if base else ""
    if base and rest[:1] in ("<", "(") and (meant := nearest(base[0], types.BRACKETED)):
        return f"did you mean `{meant}{rest[:40]}`?"
    return help_for(text, types.FORMS, "type", None)


def _read_default(values: BlockValues, kind: types.Type, path: KeyPath, collector: ProblemCollector) -> Any:
    """Convert the default to the type of the column; None without one, or after reporting why it does not fit."""
    value = values.get("default")
    if value is None or value is msgspec.UNSET:
        return None
    path = (*path, "default")
    if values.get("required"):
        message = "a required column is never null, so its `default` stands for nothing"
        collector.add_at_key(path, "required-default", message, help="remove `required` or `default`")
        return None
    if kind.word == "binary":
        collector.add_at(path, "wrong-default", "no default can be written for binary", help="remove it")
        return None
    _report_unknown_fields(value, kind, path, collector)
    try:
        return convert(value, kind)
    except ConversionError as error:
        got = str(error).partition(", got ")[2]
        message = f"the column is `{kind}`, and its default {got}" if got else f"the default {error}"
        help = _default_help(value, kind) or error.help or "write one, or leave `default` out for null"
        collector.add_at(path, "wrong-default", message, help=help)
        return None


def _report_unknown_fields(value: Any, kind: types.Type, path: KeyPath, collector: ProblemCollector) -> None:
    """Report each field of a default that its type does not have, since it would be lost."""
    if kind.word == "array" and isinstance(value, list):
        for number, element in enumerate(value):
            _report_unknown_fields(element, kind.fields[0][1], (*path, number), collector)
    elif kind.word == "struct" and isinstance(value, dict):
        fields = dict(kind.fields)
        for name, part in value.items():
            if name in fields:
                _report_unknown_fields(part, fields[name], (*path, name), collector)
            else:
                message = f"the type of the column has no field {excerpt(name)}"
                help = help_for(name, fields, "field", None)
                collector.add_at_key((*path, name), "wrong-default", message, help=help)


def _default_help(value: Any, kind: types.Type) -> str | None:
    """Say how a default of this type is written."""
    if kind.word == "boolean":
        return correction("true or false", value)
    if kind.word == "string" and isinstance(value, (bool, int, float)):
        return "put it in quotes"
    if kind.word in ("date", "timestamp"):
        return "write it as `2026-07-01`" if kind.word == "date" else "write it as `2026-07-01T13:00:00Z`"
    return None


def read_decode(
    blocks: dict[str, list[Any]], path: KeyPath, collector: ProblemCollector
) -> dict[str, tuple[Step, ...] | None]:
    """Read the steps of each field; None for a field with a step that could not be read."""
    return {field: _read_steps(steps, (*path, field), collector) for field, steps in blocks.items()}


def _read_steps(steps: list[Any], path: KeyPath, collector: ProblemCollector) -> tuple[Step, ...] | None:
    if not steps:
        collector.add_at(
            path, "wrong-step", "the list has no step", help="write one, as in `[base64]`, or remove the key"
        )
        return None
    read = [_read_step(block, (*path, number), collector) for number, block in enumerate(steps)]
    return tuple(step for step in read if step) if all(read) else None


def _read_step(block: Any, path: KeyPath, collector: ProblemCollector) -> Step | None:
    word, argument = block, None
    if isinstance(block, dict) and len(block) == 1:
        word, argument = next(iter(block.items()))
        path = (*path, word)
    if isinstance(word, str) and word in STEPS:
        try:
            return Step(word, _read_argument(word, argument, isinstance(block, dict)))  # type: ignore[arg-type]
        except ValueError as error:
            collector.add_error(path, error)
    elif isinstance(word, dict):
        help = "write each step as an entry of its own" if word else STEP_HELP
        collector.add_at(
            path, "wrong-step", f"a step is one word, and here are {len(word) or 'none'}", help=help
        )
    elif not isinstance(word, str):
        add_wrong_kind(block, "a decode step", path, collector, STEP_HELP)
    else:
        add_problem = collector.add_at_key if isinstance(block, dict) else collector.add_at
        help = help_for(word, STEPS, "step", None)
        add_problem(path, "unknown-step", f"no decode step is called {excerpt(word)}", help=help)
    return None


def _read_argument(word: str, value: Any, is_written: bool) -> Any:
    """Read the argument of a step, which is nothing or a text of a form of its own; raises SpecValueError."""
    if word not in STEPS_WITH_ARGUMENT:
        if is_written:
            raise SpecValueError(f"`{word}` takes nothing", code="wrong-step", help=f"write `{word}` alone")
        return None
    if not isinstance(value, str):
        help = f"write `{flow_style({word: EXAMPLE_ARGUMENTS[word]})}`"
        got = f", got {kind_of(value)}" if is_written else ""
        raise SpecValueError(f"`{word}` takes a text{got}", code="wrong-step", help=help)
    if word != "epoch":
        return Pattern.parse(value) if word == "pattern" else read_regex(value)
    if value not in EPOCH_UNITS:
        meant = nearest(value, EPOCH_UNITS)
        meant = meant or next((unit for unit in EPOCH_UNITS[1:] if value[:1] == unit[0]), None)
        help = f"did you mean `{meant}`?" if meant else "write `s`, `ms` or `us`"
        raise SpecValueError(f"{excerpt(value)} is no unit of `epoch`", code="wrong-step", help=help)
    return value


def read_regex(text: str) -> Expression:
    """Read a user's regular expression; raises SpecValueError if it is no expression of RE2 with named groups."""
    if len(text) > MAX_REGEX_LENGTH:
        raise SpecValueError(
            f"the expression is longer than {MAX_REGEX_LENGTH} characters",
            code="wrong-regex",
            help="shorten it",
        )
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
