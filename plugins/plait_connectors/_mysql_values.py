"""The values of MySQL as Python has them: none changed by the way from the server to here."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from plait.plugin import Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Column = tuple[Any, ...]
NAME, KIND, LENGTH, SCALE = 0, 1, 3, 5
ANY_SCALE = 31


def converters() -> dict[Any, Any]:
    """How PyMySQL reads each kind of column; dates that are none, such as 0000-00-00, stay text."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions, through

    # TIME stays text as the server writes it: a timedelta loses how it was written.
    return {**conversions, FIELD_TYPE.BIT: _bits, FIELD_TYPE.TIME: through}


def _bits(value: bytes) -> int:
    return int.from_bytes(value, "big")


def rounded(columns: Sequence[Column]) -> list[str]:
    """The columns of type FLOAT, which the server writes in six digits unless they are sent as DOUBLE."""
    from pymysql.constants import FIELD_TYPE

    return [c[NAME] for c in columns if c[KIND] == FIELD_TYPE.FLOAT and c[SCALE] == ANY_SCALE]


def finishers(columns: Sequence[Column], floats: frozenset[str]) -> dict[int, Callable[[Any], Any]]:
    """What is left to do to the values of some columns, by their position."""
    from pymysql.constants import FIELD_TYPE

    truths = {FIELD_TYPE.TINY, FIELD_TYPE.BIT}
    shorten = {n: shortest for n, column in enumerate(columns) if column[NAME] in floats}
    return shorten | {
        n: _flag for n, column in enumerate(columns) if column[KIND] in truths and column[LENGTH] == 1
    }


def _flag(value: Any) -> Any:
    """TINYINT(1) and BIT(1) are how MySQL spells BOOLEAN."""
    return Flag(value) if value in (0, 1) else value


def shortest(value: float | None) -> float | None:
    """The number of fewest digits that is the same FLOAT.

    >>> shortest(0.10000000149011612)
    0.1
    """
    if value is None:
        return None
    tried = (float(f"{value:.{digits}g}") for digits in range(1, 9))
    return next((one for one in tried if _single(one) == _single(value)), float(f"{value:.9g}"))


def _single(value: float) -> bytes:
    try:
        return struct.pack("f", value)
    except OverflowError:
        return b""
