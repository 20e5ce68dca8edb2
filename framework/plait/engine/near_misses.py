"""Keys that are not equal but look alike: by case, accents, width, spaces, or how a number is written; pure."""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

KeyValues = tuple[Any, ...]
NUMERIC = frozenset("+-.0123456789")


def twins(missed: Iterable[KeyValues], found: Iterable[KeyValues]) -> set[KeyValues]:
    """The missed keys that look like one of those found.

    >>> twins([("Ada",), ("Bo",), (7,)], [("ADA ",), ("Bob",), ("007",)]) == {("Ada",), (7,)}
    True
    """
    looks = {tuple(map(_look, key)) for key in found}
    return {key for key in missed if tuple(map(_look, key)) in looks} if looks else set()


def _look(value: Any) -> Any:
    text = str(value).casefold().strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c)).strip()
    return _number(text) if text[:1] in NUMERIC else text


def _number(text: str) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text
