"""Texts of the language that have a form of their own and no type: each `format` of the schema with its reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.build.columns import read_regex
from plait.language.build.output import build_partition
from plait.language.column_keys import STEPS, STEPS_WITH_ARGUMENT
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
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


PARSERS: dict[str, Callable[[str], Any]] = {
    "variable": _variable,
    "step": _step,
    "partition": _partition,
    "regex": read_regex,
}
