"""What an unquoted scalar means in the core schema of YAML 1.2."""

from __future__ import annotations

import math
import re
from typing import Any

from plait.problems.problem import excerpt

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {"0o": 8, "0x": 16}
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_INT_LENGTH = 400
_VALUES: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_VALUES |= dict.fromkeys(("true", "True", "TRUE"), True)
_VALUES |= dict.fromkeys(("false", "False", "FALSE"), False)


def scalar(text: str) -> Any:
    """The value of an unquoted text: a number, true or false, None, else the text itself."""
    if text in _VALUES:
        return _VALUES[text]
    if _INT.fullmatch(text):
        return int(text, _BASES.get(text[:2], 10)) if len(text) <= _MAX_INT_LENGTH else math.inf
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return float(text) if _FLOAT.fullmatch(text) else text


def number_problem(text: str, value: float) -> tuple[str, str, str] | None:
    """The code, message and help for an unquoted number that is not what was written; None for any other value."""
    help = "put it in quotes if it is text"
    if isinstance(value, int) and _LEADING_ZERO.match(text):
        message = f"{excerpt(text)} is the number {excerpt(str(value))}"
        return "ambiguous-number", message, f"{help}, else leave out the zeros"
    if _NOT_FINITE.fullmatch(text):
        return "number-too-large", f"{excerpt(text)} is no finite number", help
    if not isinstance(value, int) and math.isinf(value):
        return "number-too-large", f"{excerpt(text)} is too large for a number", help
    return None
