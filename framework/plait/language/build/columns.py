"""The columns of a source and its decode steps: from mappings to frozen values, or problems for the collector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from plait.language.keys import STEPS, STEPS_WITH_ARGUMENT, ColumnBlock
from plait.language.spec import Column
from plait.language.struct_fields import fields_of
from plait.language.structure import ProblemCollector, add_wrong_kind, read_keys
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

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
LONGEST = 255
UNITS = ("s", "ms", "us")
MAX_REGEX = 500
SHOWN = {"epoch": "s", "pattern": "order {id}", "regex": "(?P<id>[0-9]+)"}
ONE_STEP = "write a word such as `base64`, or `{epoch: s}`"


def check_name(name: str, path: KeyPath, collector: ProblemCollector) -> bool:
    """Whether a key may be the name of a column, a source or a partition column; tells why not."""
    if NAME.match(name) and len(name) <= LONGEST:
        return True
    if len(name) > LONGEST:
        collector.add_at_key(path, "bad-name", f"a name has at most {LONGEST} characters", help="shorten it")
        return False
    likely = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    help = f"did you mean `{likely[:40]}`?" if NAME.match(likely) else "begin with a letter or `_`"
    collector.add_at_key(
        path, "bad-name", f"{excerpt(name)} is no name of letters, digits and `_`", help=help
    )
    return False


def read_columns(
    blocks: dict[str, Any], path: KeyPath, collector: ProblemCollector
) -> dict[str, Column | None]:
    """Each column by its name; None where it could not be read."""
    return {name: _column(name, block, (*path, name), collector) for name, block in blocks.items()}


def _column(name: str, block: Any, path: KeyPath, collector: ProblemCollector) -> Column | None:
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
    given = read_keys(fields_of(ColumnBlock), block, path, collector)
    if not given.complete or not isinstance(kind, types.Type):
        return None
    place = given.get("from")
    default = _default(given, kind, path, collector)
    return Column(
        name=name,
        type=kind,
        origin=place.text if place else name,
        selector=place.steps if place else (name,),
        required=bool(given.get("required")),
        default=default,
    )


def read_type(text: str, path: KeyPath, collector: ProblemCollector) -> types.Type | None:
    """A type word, or a problem with the word that was meant."""
    try:
        return types.parse(text)
    except SpecValueError as error:
        error.help = error.help or _type_help(str(error.part))
        collector.add_error(path, error)
        return None


def _type_help(text: str) -> str:
    """The word that was meant; where brackets follow, one that takes brackets."""
    base = types.FIRST_WORD.match(text)
    rest = text[base.end() :] if base else ""
    if base and rest[:1] in ("<", "(") and (meant := nearest(base[0], types.BRACKETED)):
        return f"did you mean `{meant}{rest[:40]}`?"
    return help_for(text, types.FORMS, "type", None)


def _default(given: Any, kind: types.Type, path: KeyPath, collector: ProblemCollector) -> Any:
    value = given.get("default")
    if value is None or value is msgspec.UNSET:
        return None
    path = (*path, "default")
    if given.get("required"):
        message = "a required column is never null, so its `default` stands for nothing"
        collector.add_at_key(path, "required-default", message, help="remove `required` or `default`")
        return None
    if kind.word == "binary":
        collector.add_at(path, "wrong-default", "no default can be written for binary", help="remove it")
        return None
    _strays(value, kind, path, collector)
    try:
        return convert(value, kind)
    except ConversionError as error:
        got = str(error).partition(", got ")[2]
        message = f"the column is `{kind}`, and its default {got}" if got else f"the default {error}"
        help = _default_help(value, kind) or error.help or "write one, or leave `default` out for null"
        collector.add_at(path, "wrong-default", message, help=help)
        return None


def _strays(value: Any, kind: types.Type, path: KeyPath, collector: ProblemCollector) -> None:
    """ProblemCollector each field of a default that its type does not have, so that it would be lost."""
    if kind.word == "array" and isinstance(value, list):
        for number, one in enumerate(value):
            _strays(one, kind.fields[0][1], (*path, number), collector)
    elif kind.word == "struct" and isinstance(value, dict):
        fields = dict(kind.fields)
        for name, one in value.items():
            if name in fields:
                _strays(one, fields[name], (*path, name), collector)
            else:
                message = f"the type of the column has no field {excerpt(name)}"
                help = help_for(name, fields, "field", None)
                collector.add_at_key((*path, name), "wrong-default", message, help=help)


def _default_help(value: Any, kind: types.Type) -> str | None:
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
    """The steps of each field; None where one could not be read."""
    return {field: _steps(steps, (*path, field), collector) for field, steps in blocks.items()}


def _steps(steps: list[Any], path: KeyPath, collector: ProblemCollector) -> tuple[Step, ...] | None:
    if not steps:
        collector.add_at(
            path, "wrong-step", "the list has no step", help="write one, as in `[base64]`, or remove the key"
        )
        return None
    read = [_step(one, (*path, number), collector) for number, one in enumerate(steps)]
    return tuple(step for step in read if step) if all(read) else None


def _step(block: Any, path: KeyPath, collector: ProblemCollector) -> Step | None:
    word, argument = block, None
    if isinstance(block, dict) and len(block) == 1:
        word, argument = next(iter(block.items()))
        path = (*path, word)
    if isinstance(word, str) and word in STEPS:
        try:
            return Step(word, _argument(word, argument, isinstance(block, dict)))  # type: ignore[arg-type]
        except ValueError as error:
            collector.add_error(path, error)
    elif isinstance(word, dict):
        help = "write each step as an entry of its own" if word else ONE_STEP
        collector.add_at(
            path, "wrong-step", f"a step is one word, and here are {len(word) or 'none'}", help=help
        )
    elif not isinstance(word, str):
        add_wrong_kind(block, "a decode step", path, collector, ONE_STEP)
    else:
        place = collector.add_at_key if isinstance(block, dict) else collector.add_at
        help = help_for(word, STEPS, "step", None)
        place(path, "unknown-step", f"no decode step is called {excerpt(word)}", help=help)
    return None


def _argument(word: str, value: Any, given: bool) -> Any:
    """What a step takes: nothing, or a text of its own form."""
    if word not in STEPS_WITH_ARGUMENT:
        if given:
            raise SpecValueError(f"`{word}` takes nothing", code="wrong-step", help=f"write `{word}` alone")
        return None
    if not isinstance(value, str):
        help = f"write `{flow_style({word: SHOWN[word]})}`"
        got = f", got {kind_of(value)}" if given else ""
        raise SpecValueError(f"`{word}` takes a text{got}", code="wrong-step", help=help)
    if word != "epoch":
        return Pattern.parse(value) if word == "pattern" else read_regex(value)
    if value not in UNITS:
        meant = nearest(value, UNITS) or next((unit for unit in UNITS[1:] if value[:1] == unit[0]), None)
        help = f"did you mean `{meant}`?" if meant else "write `s`, `ms` or `us`"
        raise SpecValueError(f"{excerpt(value)} is no unit of `epoch`", code="wrong-step", help=help)
    return value


def read_regex(text: str) -> Expression:
    """Read a user's expression; raises SpecValueError."""
    if len(text) > MAX_REGEX:
        raise SpecValueError(
            f"the expression is longer than {MAX_REGEX} characters", code="wrong-regex", help="shorten it"
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
