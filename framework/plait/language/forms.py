"""Texts of the language that have a form of their own and no type: each `format` of the schema with its reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from plait.language.build.columns import read_regex
from plait.language.build.output import FORMS_HELP, FUNCTION_CALL, build_partition
from plait.language.keys import STEPS, STEPS_WITH_ARGUMENT
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values import types

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OTHER_FUNCTIONS = {"day": "date", "days": "date", "months": "month", "hours": "hour", "hash": "bucket"}
_EXAMPLES = {
    "epoch": "{epoch: s}",
    "pattern": '{pattern: "order {id}"}',
    "regex": '{regex: "(?P<id>[0-9]+)"}',
}


def _variable(text: str) -> None:
    if not _VARIABLE_NAME.match(text):
        likely = text.strip("${}() ")
        is_name = _VARIABLE_NAME.match(likely)
        help = f"did you mean `{likely[:40]}`?" if is_name else "write its bare name, such as `RAW`"
        message = f"{excerpt(text)} is no name of an environment variable"
        raise SpecValueError(message, code="bad-name", help=help)


def _step(text: str) -> None:
    if text in STEPS_WITH_ARGUMENT:
        raise SpecValueError(f"`{text}` takes a text", code="wrong-step", help=f"write `{_EXAMPLES[text]}`")
    if text not in STEPS:
        help = help_for(text, STEPS, "step", None)
        raise SpecValueError(f"no decode step is called {excerpt(text)}", code="unknown-step", help=help)


def _partition(text: str) -> None:
    build_partition("", text)


def help_of_error(error: Any, text: str) -> str | None:
    """What to write in place of a text that does not parse; None if its error does not let it be known."""
    part, code = str(error.part or text), error.code
    if error.help:
        return str(error.help)
    if code == "unknown-type":
        return _type_help(part)
    if code == "unknown-function":
        return _function_help(part, text)
    if code == "unknown-zone":
        meant = next(
            (name for name in sorted(available_timezones()) if edited_once(part.strip("\"'"), name)), None
        )
        return (
            f"did you mean `{meant}`?" if meant else "write a name of the IANA list, such as `Europe/Madrid`"
        )
    return help_for(part, error.words, "word", None) if error.words else None


def _type_help(text: str) -> str:
    """Suggest the type that was meant; if brackets follow, one that takes brackets."""
    base = types.FIRST_WORD.match(text)
    rest = text[base.end() :] if base else ""
    if base and rest[:1] in ("<", "(") and (meant := nearest(base[0], types.BRACKETED)):
        return f"did you mean `{meant}{rest[:40]}`?"
    return help_for(text, types.FORMS, "type", None)


def _function_help(word: str, text: str) -> str:
    meant = _OTHER_FUNCTIONS.get(word.lower()) or nearest(word, ["date", "month", "hour", "bucket"])
    call = FUNCTION_CALL.match(text)
    if not meant or not call:
        return FORMS_HELP
    arguments = [argument.strip() for argument in call[2].split(",")]
    argument = f"16, {arguments[-1]}" if meant == "bucket" else arguments[0]
    return f"did you mean `{meant}({argument[:40]})`?"


PARSERS: dict[str, Callable[[str], Any]] = {
    "variable": _variable,
    "step": _step,
    "partition": _partition,
    "regex": read_regex,
}
