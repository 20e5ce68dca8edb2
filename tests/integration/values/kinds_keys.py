"""A key of every type that a column of the row may have, and what is equal to it in each source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class KeyKind:
    """A key of a type, the texts that match it and those that do not, and how paths and DynamoDB have it.

    Where a source cannot be asked by such a key, it is None: then the row is a bad record. `in_mysql` is how many of
    the first texts that match are found in a column of text: MySQL compares times and booleans with other texts.
    """

    type: str
    value: Any
    equal: tuple[str, ...]
    other: tuple[str, ...]
    path: str | None
    attribute: dict[str, Any] | None
    in_mysql: int


NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
KEYS = (
    KeyKind("string", "Ada", ("Ada",), ("ada", "Áda", "A\u0301da"), "Ada", {"S": "Ada"}, 1),
    KeyKind("bigint", 17, ("17", "17.0", "1.7e1"), ("017", "17a"), "17", {"N": "17"}, 3),
    KeyKind("decimal(9,2)", Decimal("7.50"), ("7.50", "7.5", "75e-1"), ("7,5", "07.5"), "7.50", {"N": "7.5"}, 3),
    KeyKind("double", 0.1, ("0.1", "1e-1"), ("0.10000000000000002", ".1"), "0.1", None, 2),
    KeyKind("boolean", True, ("true",), ("True", "1"), "true", None, 0),
    KeyKind("date", date(2026, 7, 1), ("2026-07-01",), ("2026-7-1", "20260701"), "2026-07-01", None, 1),
    KeyKind(
        "timestamp", NOON, ("2026-07-01T12:00:00Z", "2026-07-01T14:00:00+02:00", "2026-07-01T12:00"),
        ("2026-07-01T12:00:01Z", "2026-07-01"), "2026-07-01T12:00:00Z", None, 0,
    ),
    KeyKind("binary", b"Ada", (), ("Ada", "QWRh"), None, {"B": b"Ada"}, 0),
)  # fmt: skip
