"""Read the bytes of a file as UTF-8 text without invisible characters."""

from __future__ import annotations

import re
from itertools import islice

from plait.language.source_map import FILE_START, LINE_BREAK
from plait.problems.problem import Problem, Span

MAX_BYTES = 1 << 20
_MAX_INVISIBLE_PROBLEMS = 20
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_INVISIBLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def read_text(text: str | bytes, file: str) -> tuple[str | None, list[Problem]]:
    """Decode the text of a file, without its byte order mark; None, with the problems, if that is not possible."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        help = "put one pipeline into one file"
        return None, [_problem(file, FILE_START, "too-large", "the file is larger than 1 MiB", help)]
    if data.startswith(_UTF_16_MARKS):
        message = "the file is UTF-16"
        return None, [_problem(file, FILE_START, "not-utf8", message, "save the file as UTF-8")]
    if isinstance(text, bytes):
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            span = _span_at(data[: error.start].decode().removeprefix("\ufeff"), 0)
            message = f"the byte `0x{data[error.start]:02x}` is not UTF-8"
            return None, [_problem(file, span, "not-utf8", message, "save the file as UTF-8")]
    text = text.removeprefix("\ufeff")
    matches = islice(_INVISIBLE.finditer(text), _MAX_INVISIBLE_PROBLEMS)
    problems = [_invisible_character(text, match, file) for match in matches]
    return (None if problems else text), problems


def _invisible_character(text: str, match: re.Match[str], file: str) -> Problem:
    number = ord(match.group())
    code = "control-character" if number else "nul-character"
    message = f"the character U+{number:04X} cannot be seen and is not read"
    help = f'remove it, or write "\\u{number:04x}" in double quotes'
    return _problem(file, _span_at(text[: match.start()], 1), code, message, help)


def _span_at(before: str, length: int) -> Span:
    lines = LINE_BREAK.split(before)
    column = len(lines[-1]) + 1
    return Span(len(lines), column, len(lines), column + length)


def _problem(file: str, span: Span, code: str, message: str, help: str | None) -> Problem:
    return Problem(code=code, message=message, file=file, span=span, help=help)
