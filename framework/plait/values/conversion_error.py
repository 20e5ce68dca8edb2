"""What is wrong with a value that does not fit its type or a decode step."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from plait.values.types import Type

DYNAMODB_TYPES = {"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}


class ConversionError(ValueError):
    """A value does not fit its type or decode step; `help` says what to do, `bare` is the message without the value.

    `place` is where the value stands within the one that was converted, `bare_place` the same without keys of maps.
    `decoded` is the place in the record that could not be decoded.
    """

    decoded: str | None = None

    def __init__(self, message: str, help: str | None = None, bare: str | None = None) -> None:
        super().__init__(message)
        self.help = help
        self.bare = bare or message
        self.place = self.bare_place = ""

    def stands_at(self, place: str, bare_place: str | None = None) -> None:
        """Note where, within what holds it, the value stands that was tried."""
        self.place, self.bare_place = place + self.place, (bare_place or place) + self.bare_place


def wrong_kind(value: Any, kind: Type, help: str | None = None) -> ConversionError:
    """The error for a value that is not of its type; it names the value's kind as YAML does."""
    if isinstance(value, dict) and len(value) == 1 and value.keys() <= DYNAMODB_TYPES:
        help = "decode the field by `dynamodb`"
    return conversion_error(f"expected {kind}, got {{}}", value, help)


def conversion_error(sentence: str, value: Any, help: str | None = None) -> ConversionError:
    """The error whose message is the sentence with the value in place of `{}`; its `bare` has the value's kind alone."""
    message, bare = (sentence.replace("{}", _describe(value, shown=shown)) for shown in (True, False))
    return ConversionError(message, help, bare)


def _describe(value: Any, *, shown: bool) -> str:
    """The words by which a message names a value: its kind and, if it is shown, at most 40 characters of it."""
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true/false"),
        ((int, float, Decimal), "the number"),
        (str, "the text"),
        (bytes, "binary"),
        (dict, "a mapping"),
        ((list, tuple, set), "a list"),
        (datetime, "the time"),
    )
    word = next((word for types, word in words if isinstance(value, types)), f"the {type(value).__name__}")
    if not shown:
        return word.replace("the ", "a ")
    if value == "":
        return "an empty text"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    scalar = isinstance(value, (str, int, float, Decimal, date))
    return f"{word} {excerpt(value if isinstance(value, str) else str(value))}" if scalar else word
