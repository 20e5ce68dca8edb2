"""JSON without its laxities: one document, each key once, numbers exact, texts that any file can hold."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

BOM = b"\xef\xbb\xbf"
DEEPEST = 100
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
UNSURE = object()
NESTED = (dict, list)
SPACES = b" \t\r\n"
TOO_DEEP = -(1 << 62)


class NotJson(ValueError):
    """Bytes that are not one strict JSON document; the sentence has nothing of the data."""


def parse_json(data: bytes) -> Any:
    """The value that the bytes are, a fraction as Decimal; raises NotJson."""
    value = _quick(data)
    return _careful(data) if value is UNSURE else value


def _quick(data: bytes) -> Any:
    """The value, where a fast decoder and a count of the keys leave no doubt, else UNSURE.

    Without spaces, a quote and a colon stand together at least once for each key, so as many of them as there are
    distinct keys means that no key stands twice.
    """
    try:
        value = _decoder().decode(data)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return UNSURE
    return value if _keys(value, 1) == data.translate(None, SPACES).count(b'":') else UNSURE


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(float_hook=Decimal)


def _keys(value: Any, level: int) -> int:
    """How many keys the mappings within a value have; less than none where it nests too deep."""
    inner: Any = value
    found = 0
    if type(value) is dict:
        found, inner = len(value), value.values()
    elif type(value) is not list:
        return 0
    if level > DEEPEST:
        return TOO_DEEP
    for one in inner:
        if type(one) in NESTED:
            found += _keys(one, level + 1)
    return found


def _careful(data: bytes) -> Any:
    start = len(BOM) if data.startswith(BOM) else 0
    try:
        text = data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {start + error.start}") from None
    value = _load(text, start)
    _check_depth(value, text)
    if SURROGATE.search(text):
        _check_text(value)
    return value


def _load(text: str, start: int) -> Any:
    import json

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_mapping)
    except json.JSONDecodeError as error:
        where = start + len(text[: error.pos].encode("utf-8", "surrogatepass"))
        raise NotJson(f"not JSON at byte {where}: {error.msg.lower()}") from None
    except RecursionError:
        raise NotJson(f"nested deeper than {DEEPEST} levels") from None
    except NotJson:
        raise
    except (ValueError, ArithmeticError):
        raise NotJson("a number has too many digits") from None


def _no_number(_word: str) -> None:
    raise NotJson("NaN and Infinity are no JSON numbers")


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("a key stands twice in one object")
    return found


def _check_depth(value: Any, text: str) -> None:
    if text.count("{") + text.count("[") <= DEEPEST:
        return
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [v for v in level if isinstance(v, dict | list)]
        if not level:
            return
        level = [v for parent in level for v in (parent.values() if isinstance(parent, dict) else parent)]
    raise NotJson(f"nested deeper than {DEEPEST} levels")


def _check_text(value: Any) -> None:
    import json

    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise NotJson("half of a surrogate pair stands alone in a text") from None
