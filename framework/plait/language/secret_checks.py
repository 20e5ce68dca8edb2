"""Find what looks like a secret in a document, and where it stands, so that nothing shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.language.parameters import REFERENCE, put_in, texts
from plait.language.secrets_in_text import (
    MOVE_VALUE_HELP,
    find_secret,
    is_secret_variable,
    secret_name_error,
)
from plait.problems.problem import Problem, Span, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plait.language.source_map import KeyPath, SourceMap

_LONE_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_VARIABLE_HELP = (
    "put the secret into Secrets Manager, and take its name from a variable such as `SHOP_SECRET`"
)


def check_secrets(document: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Finding]:
    """The problem of each text that holds a secret; `values` are those of the parameters."""
    for path, text in texts(document, ()):
        if secret := find_secret(text):
            yield Finding(path, f"this text holds {secret}", MOVE_VALUE_HELP, code="literal-secret")
        if path[:1] == ("parameters",) and path[2:] == ("env",) and is_secret_variable(text):
            message = f"{excerpt(text)} holds a secret, and the values of parameters are shown"
            yield Finding(path, message, _VARIABLE_HELP, code="literal-secret", at="key")
    for path, raw in _names_of_secrets(document):
        bound = put_in({"secret": raw}, values)["secret"]
        error = secret_name_error(REFERENCE.sub("x", bound) if isinstance(bound, str) else bound)
        if error is not None:
            reference = _LONE_REFERENCE.fullmatch(raw) if isinstance(raw, str) else None
            is_default = reference and "default" in _block(document, "parameters", reference[1])
            place: KeyPath = ("parameters", reference[1], "default") if reference and is_default else path
            yield Finding(place, str(error), str(error.help), code="literal-secret")


def _names_of_secrets(document: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Any]]:
    """The value of each option `secret`."""
    sources = document.get("sources")
    blocks = [("sources", name) for name in sources] if isinstance(sources, dict) else []
    for path in (*blocks, ("sink",)):
        block = _block(document, *path)
        if "secret" in block:
            yield (*path, "secret"), block["secret"]


def _block(document: Any, *path: str) -> Mapping[str, Any]:
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def secret_spans(problems: Iterable[Problem], source_map: SourceMap) -> set[Span]:
    """The places of the secrets that problems are about: the value itself, or that of the key."""
    keys = {span: path for path, span in source_map.key_spans.items()}
    spans = set()
    for problem in problems:
        if problem.code == "literal-secret" and problem.span:
            path = keys.get(problem.span)
            if path and path[0] == "parameters" and path[-1] == "env":
                path = (*path[:-1], "default")
            span = source_map.value_spans.get(path) if path else problem.span
            spans |= {span} if span else set()
    return spans
