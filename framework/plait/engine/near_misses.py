"""Find keys that are not equal but look alike: by case, accents, width, spaces, or how a number is written; pure."""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.engine.answers import KeyValues

CHARACTERS_OF_NUMBERS = frozenset("+-.0123456789")


def near_misses(missed: Iterable[KeyValues], answered: Iterable[KeyValues]) -> set[KeyValues]:
    """Return the missed keys that look like one of the answered keys.

    >>> near_misses([("Ada",), ("Bo",), (7,)], [("ADA ",), ("Bob",), ("007",)]) == {("Ada",), (7,)}
    True
    """
    looks = {tuple(map(_look, key)) for key in answered}
    return {key for key in missed if tuple(map(_look, key)) in looks} if looks else set()


def _look(value: Any) -> Any:
    """Reduce a value to a form that is equal for look-alikes."""
    text = str(value).casefold().strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c)).strip()
    return _number_or_text(text) if text[:1] in CHARACTERS_OF_NUMBERS else text


def _number_or_text(text: str) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text
