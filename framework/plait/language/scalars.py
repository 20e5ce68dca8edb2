"""What an unquoted scalar means in the core schema of YAML 1.2."""

from __future__ import annotations

import math
import re
from typing import Any

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {"0o": 8, "0x": 16}
LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_WORDS |= dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf)
_WORDS |= dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf)
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)


def scalar(text: str) -> Any:
    """The value of an unquoted text: a number, true or false, nothing, else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, _BASES.get(text[:2], 10)) if len(text) <= 400 else math.inf
    return float(text) if _FLOAT.fullmatch(text) else text


def is_too_large(text: str, value: Any) -> bool:
    """Whether a number has become infinity that was not written so."""
    return isinstance(value, float) and math.isinf(value) and text not in _WORDS
