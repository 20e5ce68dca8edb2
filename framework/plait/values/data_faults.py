"""Say what bytes that are no JSON document look like and what to do about them, without showing a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from json import JSONDecodeError

BLANK = " \t\r\n"  # what JSON takes between values: no other white space
UNPACK = "unpack it before, or write it as it is"
REWRITE = "turn it into JSON or CSV before"
BEGINNINGS = {
    rb"\x1f\x8b": ("gzip", UNPACK),
    rb"\x28\xb5\x2f\xfd": ("zstd", UNPACK),
    rb"PK\x03\x04": ("a zip archive", UNPACK),
    rb"BZh": ("bzip2", UNPACK),
    rb"\xfd7zXZ": ("xz", UNPACK),
    rb"x[\x9c\xda]": ("zlib", UNPACK),
    rb"\xff\x06\0\0sNaPpY": ("snappy", UNPACK),
    rb"\x04\x22\x4d\x18": ("lz4", UNPACK),
    rb"eyJ[\w+/]{5}": ("base64", "decode it before"),
    rb"%PDF": ("PDF", REWRITE),
    rb"\xd0\xcf\x11\xe0": ("an old file of Excel or Word", REWRITE),
    rb"PAR1": ("Parquet", REWRITE),
    rb"Obj\x01": ("Avro", REWRITE),
    rb"\xff\xfe\0\0|\0\0\xfe\xff": ("UTF-32", "write it as UTF-8"),
    rb"\xff\xfe|\xfe\xff|\x00[^\x00]\x00|[^\x00]\x00[^\x00]\x00": ("UTF-16", "write it as UTF-8"),
    rb"(?i)\s*<(!doctype html|html|head|body)": (
        "an HTML page",
        "its writer got a page, such as an error or a login, in place of data: write it again",
    ),
    rb"\s*<": ("XML", REWRITE),
}
ESCAPE, QUOTES = r"write it as an escape, such as `\n`", "JSON has double quotes alone"
WHOLE = "write it to its end: it was cut off, or is one line of a document of several"
STRICT = "write JSON as `json.dumps` does"
WORDS = {  # how each message of Python's parser begins
    "invalid control": ("a line break or another control character stands in a text", ESCAPE),
    "invalid \\": ("a backslash begins no escape", "write a backslash as `\\\\`"),
    "unterminated": ("a text that begins here has no end", WHOLE),
    "expecting property": ("a key in double quotes, or the end, belongs here", STRICT),
    "expecting ':'": ("a colon belongs here", STRICT),
    "expecting ','": ("a comma, or the end, belongs here", STRICT),
    "expecting value": ("a value belongs here", STRICT),
    "unexpected utf-8 bom": ("a second byte-order mark stands here", "write one mark at most"),
}


class DataFault(NamedTuple):
    """What is wrong, what to do, and the `form` of several documents: `lines` or `documents`."""

    message: str
    help: str
    form: str = ""


def form_of(data: bytes) -> DataFault | None:
    """What bytes are that are neither JSON nor CSV, as their beginning tells."""
    start = data[:200]
    return next(
        (DataFault(*fault) for pattern, fault in BEGINNINGS.items() if re.match(pattern, start)), None
    )


def not_utf8(data: bytes, position: int) -> DataFault:
    """What bytes are that are not UTF-8 at a position."""
    form = form_of(data) or DataFault("", "write it as UTF-8")
    return DataFault(f"not UTF-8 at byte {position}{form.message and f', but {form.message}'}", form.help)


def not_json(text: str, error: JSONDecodeError, byte: int) -> DataFault:
    """What is wrong with a text at the place of a parser's error, which is this byte."""
    fault = form_of(text[:200].encode()) or _fault_at(text, error)
    return fault._replace(message=f"not JSON at byte {byte}: {fault.message}")


def _fault_at(text: str, error: JSONDecodeError) -> DataFault:
    before, after = text[: error.pos], text[error.pos :].rstrip(BLANK)
    if not text.strip(BLANK + "\ufeff"):
        return DataFault("there is nothing in it", "write a document, or leave it out of the path")
    if not after:
        return DataFault("it ends too early", WHOLE)
    if error.msg.startswith(("Extra", "Expecting")) and not after[0].isprintable():
        return DataFault(f"the character U+{ord(after[0]):04X}, which nobody sees, stands here", "remove it")
    if error.msg == "Extra data":
        return _several(before.strip(BLANK), "\n" in before, after)
    return _wrong_word(before, after, error.msg)


def _wrong_word(before: str, after: str, words: str) -> DataFault:
    if after[0] == "'":
        return DataFault("a single quote stands here", QUOTES)
    if words.startswith("Expecting") and re.search(r",\s*\Z", before) and after[0] in "]}":
        return DataFault("the comma before it is one too many", "remove it")
    begins = words.lower().startswith
    return next((DataFault(*fault) for word, fault in WORDS.items() if begins(word)), DataFault("", STRICT))


def _several(document: str, is_line: bool, after: str) -> DataFault:
    if document[0] not in '{["':
        help = "write the JSON alone, and take it out of the line before"
        return DataFault("more follows a single value, as in a line of a log", help)
    if after[0] not in '{["':
        return DataFault("more follows the end of the document", STRICT)
    if is_line and "\n" not in document:
        help = "one document is read here: give each line a text of its own"
        return DataFault("another document follows in the next line, as in JSON Lines", help, "lines")
    help = "write one document, or each in a line of its own"
    return DataFault("another document follows", help, "documents")
