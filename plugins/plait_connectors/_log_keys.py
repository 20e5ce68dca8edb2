"""The keys that lines of a log are read for: which times to read, and which lines may match."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from plait.plugin import GiveUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plait.plugin import Key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class WantedKeys:
    """The keys asked for, to compare with the texts of a line; a key that is asked for alone is told its look-alikes, too."""

    def __init__(self, keys: Sequence[Key]) -> None:
        columns = {name: [key.fields[name] for key in keys] for name in keys[0].fields}
        text = _text if len(keys) > 1 else _look
        self.readers = {name: reader for name, values in columns.items() if (reader := _reader(values, text))}
        read_columns = (map(reader, columns[name]) for name, reader in self.readers.items())
        self.values = set(zip(*read_columns, strict=True))
        self.text_field = next(iter(self.readers)) if [*self.readers.values()] == [_text] else None
        self.texts = {text for (text,) in self.values} if self.text_field else set()

    def matches(self, fields: Mapping[str, Any]) -> bool:
        """Return whether a line with these fields may match a key; plait compares exactly, in the declared types."""
        if self.text_field:
            return _text(fields.get(self.text_field)) in self.texts
        if not self.readers:
            return True
        return tuple(reader(fields.get(name)) for name, reader in self.readers.items()) in self.values


def _number(value: Any) -> Decimal | None:
    """The number that a value or text is; None if it is none, or infinite."""
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return None
    return number if number.is_finite() else None


def _text(value: Any) -> str | None:
    """The text that a value is, or a whole number as text, as a key of texts takes it."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else None


def _look(value: Any) -> str | None:
    """The text that a value is, without its case, accents and outer spaces."""
    look = (_text(value) or "").strip().casefold()
    if not look.isascii():
        look = "".join(c for c in unicodedata.normalize("NFKD", look) if not unicodedata.combining(c))
    return look or _text(value)


def _reader(values: Iterable[Any], text: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
    """How to read the text of a field whose keys have these values; None if only plait can compare them."""
    types = {type(value) for value in values}
    if types == {str}:
        return text
    return _number if types <= {int, Decimal} else None


def windows(keys: Sequence[Key]) -> list[tuple[int, int]]:
    """The ranges of time that the keys' windows cover, in milliseconds, without overlaps."""
    spans = [(key.since, key.until) for key in keys]
    if any(None in span for span in spans):
        raise GiveUp(
            "a log group is read within a stretch of time",
            help="add `window: {around: a_timestamp_column, before: 1h, after: 1h}` to the source",
        )
    # One millisecond more, since an implementation of the API may not count endTime into the range.
    merged = _merged(spans)
    return _merged((max(0, _milliseconds(start)), _milliseconds(end) + 1) for start, end in merged)


def _merged(spans: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The spans in order, those that overlap made one, those that end before they start left out."""
    merged: list[tuple[Any, Any]] = []
    first = last = None
    for start, end in sorted(spans):
        if last is not None and start <= last:
            last = max(end, last)
        elif start <= end:
            if last is not None:
                merged.append((first, last))
            first, last = start, end
    return merged if last is None else [*merged, (first, last)]


def _milliseconds(time: datetime) -> int:
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // MILLISECOND
