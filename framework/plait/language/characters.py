"""The bytes of a file to text whose every character can be seen."""

from __future__ import annotations

import re
from itertools import islice

from plait.language.source_map import FILE_START, LINE_BREAK
from plait.problems.problem import Problem, Span

MAX_BYTES = 1 << 20
_MOST_UNSEEN = 20
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def read_text(text: str | bytes, file: str) -> tuple[str | None, list[Problem]]:
    """The text of a file, without its byte order mark; None where it has to be mended first."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        cure = "put one pipeline into one file"
        return None, [_problem(file, FILE_START, "too-large", "the file is larger than 1 MiB", cure)]
    if data.startswith(_UTF_16):
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
    unseen = [_unseen(text, match, file) for match in islice(_UNSEEN.finditer(text), _MOST_UNSEEN)]
    return (None if unseen else text), unseen


def _unseen(text: str, match: re.Match[str], file: str) -> Problem:
    number = ord(match.group())
    code = "control-character" if number else "nul-character"
    message = f"the character U+{number:04X} cannot be seen and is not read"
    cure = f'remove it, or write "\\u{number:04x}" in double quotes'
    return _problem(file, _span_at(text[: match.start()], 1), code, message, cure)


def _span_at(before: str, length: int) -> Span:
    lines = LINE_BREAK.split(before)
    column = len(lines[-1]) + 1
    return Span(len(lines), column, len(lines), column + length)


def _problem(file: str, span: Span, code: str, message: str, cure: str | None) -> Problem:
    return Problem(code=code, message=message, file=file, span=span, help=cure)
