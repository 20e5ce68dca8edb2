"""Values of MySQL as Python values, exactly as the server holds them."""

from __future__ import annotations

import struct
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plait.plugin import Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ColumnDescription = tuple[Any, ...]  # of PEP 249, where these are the positions of
NAME, TYPE, LENGTH, SCALE = 0, 1, 3, 5
ANY_SCALE = 31  # the scale of a FLOAT that is declared without one


def converters() -> dict[Any, Any]:
    """Return how PyMySQL reads each type of column; impossible dates, such as 0000-00-00, stay text."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions, through

    # TIME stays text as the server writes it: a timedelta loses how it was written.
    return {**conversions, FIELD_TYPE.BIT: _number_of_bits, FIELD_TYPE.TIME: through}


def _number_of_bits(value: bytes) -> int:
    return int.from_bytes(value, "big")


def float_columns(columns: Sequence[ColumnDescription]) -> list[str]:
    """Return the columns of type FLOAT; the server sends six digits of them, unless they are made DOUBLE."""
    from pymysql.constants import FIELD_TYPE

    return [
        column[NAME] for column in columns if column[TYPE] == FIELD_TYPE.FLOAT and column[SCALE] == ANY_SCALE
    ]


def finishers(
    columns: Sequence[ColumnDescription], floats: frozenset[str]
) -> dict[int, Callable[[Any], Any]]:
    """Return functions to apply to the values of some columns, by the position of the column.

    `floats` are the columns of type FLOAT that were selected as DOUBLE.
    """
    from pymysql.constants import FIELD_TYPE

    boolean_types = {FIELD_TYPE.TINY, FIELD_TYPE.BIT}
    shorten = {position: shortest for position, column in enumerate(columns) if column[NAME] in floats}
    return shorten | {
        position: _flag
        for position, column in enumerate(columns)
        if column[TYPE] in boolean_types and column[LENGTH] == 1
    }


def examples(columns: Sequence[ColumnDescription]) -> dict[str, Any]:
    """Return a value for each column such as its type has; None for texts, which may be those of any type."""
    from pymysql.constants import FIELD_TYPE

    moment = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - the server sends times without a zone
    values = {
        **dict.fromkeys((FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG), 1),
        **dict.fromkeys((FIELD_TYPE.TINY, FIELD_TYPE.BIT), Flag(1)),
        **dict.fromkeys((FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE), 1.0),
        **dict.fromkeys((FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL), Decimal(1)),
        **dict.fromkeys((FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP), moment),
        FIELD_TYPE.DATE: moment.date(),
    }
    return {column[NAME]: values.get(column[TYPE]) for column in columns}


def _flag(value: Any) -> Any:
    """Mark 0 and 1 as a boolean, which MySQL spells TINYINT(1) or BIT(1)."""
    return Flag(value) if value in (0, 1) else value


def shortest(value: float | None) -> float | None:
    """Return the number with the fewest digits that is the same FLOAT.

    >>> shortest(0.10000000149011612)
    0.1
    """
    if value is None:
        return None
    candidates = (float(f"{value:.{digits}g}") for digits in range(1, 9))
    same = (candidate for candidate in candidates if _as_float32(candidate) == _as_float32(value))
    return next(same, float(f"{value:.9g}"))


def _as_float32(value: float) -> bytes:
    """The four bytes of the nearest FLOAT; empty if there is none."""
    try:
        return struct.pack("f", value)
    except OverflowError:
        return b""
