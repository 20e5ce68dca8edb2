"""The text of a YAML file: its characters, its lines, and what an unquoted word means in YAML 1.2 (core schema)."""

from __future__ import annotations

import math
import re
from itertools import islice
from typing import Any

from plait.problems.problem import Problem, Span, excerpt

MAX_BYTES = 1 << 20
_MAX_INVISIBLE_PROBLEMS = 20
FILE_START = Span(1, 1, 1, 1)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_INVISIBLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_INT_LENGTH = 400
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)


def split_lines(text: str) -> list[str]:
    """The lines of a text."""
    return _LINE_BREAK.split(text)


def read_text(text: str | bytes, file: str) -> tuple[str, list[Problem]]:
    """The text of a file without its byte order mark; empty, beside the problems, if it cannot be read."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        message, help = "the file is larger than 1 MiB", "put one pipeline into one file"
        return "", [_problem(file, "too-large", message, help)]
    if data.startswith(_UTF_16_MARKS):
        return "", [_problem(file, "not-utf8", "the file is UTF-16", "save the file as UTF-8")]
    try:
        text = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        message, before = f"the byte `0x{data[error.start]:02x}` is not UTF-8", data[: error.start].decode()
        return "", [_problem(file, "not-utf8", message, "save the file as UTF-8", before)]
    problems = []
    text = text.removeprefix(_MARK)
    for match in islice(_INVISIBLE.finditer(text), _MAX_INVISIBLE_PROBLEMS):
        number = ord(match.group())
        message = f"the character U+{number:04X} cannot be seen and is not read"
        help = f'remove it, or write "\\u{number:04x}" in double quotes'
        code = "control-character" if number else "nul-character"
        problems.append(_problem(file, code, message, help, text[: match.start()], 1))
    return "" if problems else text, problems


def _problem(file: str, code: str, message: str, help: str, before: str = "", length: int = 0) -> Problem:
    """A problem of the characters that follow the text `before` them."""
    lines = split_lines(before.removeprefix(_MARK))
    column = len(lines[-1]) + 1
    span = Span(len(lines), column, len(lines), column + length)
    return Problem(code=code, message=message, file=file, span=span, help=help)


def scalar(text: str) -> Any:
    """The value of an unquoted text: a number, true or false, None, else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base) if len(text) <= _MAX_INT_LENGTH else math.inf
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return float(text) if _FLOAT.fullmatch(text) else text


def number_problem(text: str, value: Any) -> tuple[str, str, str] | None:
    """The code, message and help of an unquoted number that is not what was written; None for any other value."""
    help = "put it in quotes if it is text"
    if type(value) is int and _LEADING_ZERO.match(text):
        message = f"{excerpt(text)} is the number {excerpt(str(value))}"
        return "ambiguous-number", message, f"{help}, else leave out the zeros"
    if isinstance(value, float) and not math.isfinite(value):
        return "number-too-large", f"{excerpt(text)} is no finite number", help
    return None
