"""Parse JSON strictly: one document, each key once, exact numbers, texts that any file can hold.

Of a large document only what is wanted is built, and no values are built that take more memory than there is.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from plait.values.memory import MIB, room_for_values, size_of_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

BOM = b"\xef\xbb\xbf"
MAX_DEPTH = 100
TOO_DEEPLY_NESTED = (f"nested deeper than {MAX_DEPTH} levels", "write what lies deepest as a text")
LARGE = 1 << 16  # bytes from which on only the wanted fields of a document are built
MOST_MEMBERS = 100
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
UNSURE = object()
SPACES = b" \t\r\n"
TOO_DEEP = -(1 << 62)  # stays negative when the number of keys of any document is added


class NotJson(ValueError):
    """The bytes are not one strict JSON document; the message has nothing of the data, and `help` says what to do.

    The `form` of several documents in one is `lines` or `documents`.
    """

    def __init__(self, message: str, help: str | None = None, form: str = "") -> None:
        super().__init__(message)
        self.help, self.form = help, form


class TooManyValues(NotJson):
    """The values of the document would take more memory than there is for them."""


def parse_json(data: bytes, fields: Collection[str] | None = None) -> Any:
    """The value of a JSON document, with fractions as Decimal; raises NotJson, TooManyValues.

    A large mapping has only these `fields`, where they are given: the values of the others are not built, and only have
    to be JSON.
    """
    if len(data) <= LARGE:
        value = _parse_quickly(data)
        return _parse_carefully(data) if value is UNSURE else value
    if fields is not None and (members := _members(data)) is not None:
        return {name: _parse(memoryview(member)) for name, member in members.items() if name in fields}
    return _parse(data)


def outline(data: bytes) -> Iterator[tuple[str, Any]]:
    """The names of a large mapping, the first 100, each with its value; of a large value an example of its form.

    There are none of a small document, which `parse_json` builds whole.
    """
    if len(data) <= LARGE:
        return
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        for name, member in islice(_member_decoder().decode(data).items(), MOST_MEMBERS):
            view = memoryview(member)
            is_list = re.match(rb"\[\s*\{", bytes(view[:LARGE]))
            yield name, _parse(view) if len(view) <= LARGE else [{}] if is_list else None


def size_of_document(data: bytes, fields: Collection[str] | None) -> int:
    """About how many bytes of memory a document takes with the values that `parse_json` builds of it."""
    if fields is not None and len(data) > LARGE:
        with suppress(msgspec.MsgspecError, ValueError, RecursionError):
            members = _member_decoder().decode(data)
            return len(data) + sum(
                size_of_values(memoryview(members[name])) for name in members.keys() & fields
            )
    return size_of_values(data)


def _members(data: bytes) -> dict[str, msgspec.Raw] | None:
    """The members of a mapping, not built; None unless a count of the keys proves that none stands twice."""
    try:
        members = _member_decoder().decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    keys = len(members) + sum(_count_colons(memoryview(member)) for member in members.values())
    return members if keys == _count_colons(data) and _is_utf8(data) else None


@cache
def _member_decoder() -> msgspec.json.Decoder[dict[str, msgspec.Raw]]:
    return msgspec.json.Decoder(dict[str, msgspec.Raw])


def _count_colons(data: bytes | memoryview) -> int:
    """How often a quote and a colon stand together, but for spaces: at least once for each key."""
    if len(data) <= LARGE:
        return bytes(data).translate(None, SPACES).count(b'":')
    count, last = 0, b""
    for start in range(0, len(data), MIB):
        part = last + bytes(data[start : start + MIB]).translate(None, SPACES)
        count += part.count(b'":')
        last = part[-1:]
    return count


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), MIB):
            decoder.decode(data[start : start + MIB])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _parse(data: bytes | memoryview) -> Any:
    if len(data) > LARGE and size_of_values(data) > room_for_values():
        size, room = size_of_values(data) // MIB, room_for_values() // MIB
        raise TooManyValues(
            f"its values would take about {size:,} MB of memory, more than the {room:,} there are"
        )
    value = _parse_quickly(data)
    return _parse_carefully(bytes(data)) if value is UNSURE else value


def _parse_quickly(data: bytes | memoryview) -> Any:
    """Decode with a fast decoder; return UNSURE unless a count proves that no key stands twice.

    Two quotes stand around each key and text, so twice as many quotes as there are distinct keys and texts means that no
    key stands twice. Where a text has quotes in it: without spaces, a quote and a colon stand together at least once for
    each key, so as many of them as there are distinct keys means the same.
    """
    try:
        value = _decoder().decode(data)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return UNSURE
    if type(data) is bytes and data.count(b'"') == 2 * _count_keys(value, 1, texts=1):
        return value
    return value if _count_keys(value, 1) == _count_colons(data) else UNSURE


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(float_hook=Decimal)


def _count_keys(value: Any, level: int, texts: int = 0) -> int:
    """The number of keys of all mappings within a value, and with `texts` of 1 of its texts; negative if it nests too deep."""
    inner: Any = value
    count = 0
    if type(value) is dict:
        count, inner = len(value), value.values()
    elif type(value) is not list:
        return 0
    if level > MAX_DEPTH:
        return TOO_DEEP
    for element in inner:
        kind = type(element)
        if kind is str:
            count += texts
        elif kind is dict or kind is list:
            count += _count_keys(element, level + 1, texts)
    return count


def _parse_carefully(data: bytes) -> Any:
    start = len(BOM) if data.startswith(BOM) else 0
    try:
        text = data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        from plait.values.data_faults import not_utf8

        raise NotJson(*not_utf8(data, start + error.start)) from None
    value = _decode_text(text, start)
    _check_depth(value, text)
    if SURROGATE.search(text):
        _check_surrogates(value)
    return value


def _decode_text(text: str, start: int) -> Any:
    import json

    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_mapping_of
        )
    except json.JSONDecodeError as error:
        from plait.values.data_faults import not_json

        position = start + len(text[: error.pos].encode("utf-8", "surrogatepass"))
        raise NotJson(*not_json(text, error, position)) from None
    except RecursionError:
        raise NotJson(*TOO_DEEPLY_NESTED) from None
    except NotJson:
        raise
    except (ValueError, ArithmeticError):
        raise NotJson("a number has too many digits", "write it as a text") from None


def _refuse_constant(_word: str) -> None:
    raise NotJson("NaN and Infinity are no JSON numbers", "write null, or a text for a `double`")


def _mapping_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise NotJson(
            "a key stands twice in one object", "write each key once: readers differ on which one counts"
        )
    return mapping


def _check_depth(value: Any, text: str) -> None:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [element for element in level if isinstance(element, dict | list)]
        if not level:
            return
        level = [
            element
            for parent in level
            for element in (parent.values() if isinstance(parent, dict) else parent)
        ]
    raise NotJson(*TOO_DEEPLY_NESTED)


def _check_surrogates(value: Any) -> None:
    import json

    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        help = "write both halves of a character, or none"
        raise NotJson("half of a surrogate pair stands alone in a text", help) from None
