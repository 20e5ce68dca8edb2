"""MySQL's kinds of column, each with the literal of a value."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from .cells import Kind, fraction, text, utc, whole
from .kinds_json import NULLS

LONG = "12345678901234567890123456789012345.123456789012345678901234567890"


def flag(value: int) -> dict[str, object]:
    """What a number fits that is a boolean too."""
    return {**whole(value), "boolean": bool(value)}


MYSQL: list[Kind] = [
    Kind("`TINYINT`", ("TINYINT", "-128"), {**whole(-128), "tinyint": -128}),
    Kind("`BOOLEAN`, which is `TINYINT(1)`", ("BOOLEAN", "TRUE"), {**flag(1), "tinyint": 1}),
    Kind("`TINYINT(1)` with another number", ("TINYINT(1)", "2"), whole(2)),
    Kind("`SMALLINT UNSIGNED`", ("SMALLINT UNSIGNED", "65535"), {**whole(65535), "int": 65535}),
    Kind("`MEDIUMINT`", ("MEDIUMINT", "-8388608"), whole(-8388608)),
    Kind("`INT UNSIGNED`", ("INT UNSIGNED", "4294967295"), whole(4294967295)),
    Kind("`INT ZEROFILL`", ("INT(5) ZEROFILL", "42"), whole(42)),
    Kind("`BIGINT`", ("BIGINT", "-9223372036854775808"), whole(-(2**63))),
    Kind(
        "`BIGINT UNSIGNED`", ("BIGINT UNSIGNED", "18446744073709551615"),
        {"decimal(38,10)": Decimal(2**64 - 1), "double": 2.0**64},
    ),
    Kind("`DECIMAL(12,2)`", ("DECIMAL(12,2)", "12.50"), fraction("12.5")),
    Kind(
        "`DECIMAL(38,30)`", ("DECIMAL(38,30)", "12345678.123456789012345678901234567891"),
        {"decimal(38,30)": Decimal("12345678.123456789012345678901234567891"), "double": 12345678.123456789},
    ),
    Kind("`DECIMAL(65,30)` of 65 digits", ("DECIMAL(65,30)", LONG), {"double": float(LONG)}),
    Kind("`FLOAT`", ("FLOAT", "0.1"), {**fraction("0.1"), "float": 0.10000000149011612}),
    Kind(
        "`FLOAT` of more than six digits", ("FLOAT", "16777217"),
        {**whole(16777216), "float": 16777216.0},
    ),
    Kind("`DOUBLE`", ("DOUBLE", "0.1e0 + 0.2e0"), {"double": 0.30000000000000004, "decimal(38,17)": Decimal("0.30000000000000004")}),
    Kind("`DOUBLE`, the least", ("DOUBLE", "5e-324"), {"double": 5e-324}),
    Kind("`DOUBLE`, the greatest", ("DOUBLE", "1.7976931348623157e308"), {"double": 1.7976931348623157e308}),
    Kind("`BIT(1)`", ("BIT(1)", "b'1'"), flag(1)),
    Kind("`BIT(64)`", ("BIT(64)", "~0"), {"decimal(38,10)": Decimal(2**64 - 1), "double": 2.0**64}),
    Kind("`YEAR`", ("YEAR", "2026"), whole(2026)),
    Kind("`DATE`", ("DATE", "'2026-07-01'"), {"date": date(2026, 7, 1), "timestamp": utc(2026, 7, 1)}),
    Kind("`DATE` without a day", ("DATE", "'2026-07-00'"), {"string": "2026-07-00"}),
    Kind("`DATE` zero", ("DATE", "'0000-00-00'"), {"string": "0000-00-00"}),
    Kind("`DATETIME(6)`, taken as UTC", ("DATETIME(6)", "'2026-07-01 10:15:30.123456'"), {"timestamp": utc(2026, 7, 1, 10, 15, 30, 123456)}),
    Kind("`DATETIME` zero", ("DATETIME", "'0000-00-00 00:00:00'"), {"string": "0000-00-00 00:00:00"}),
    Kind("`TIMESTAMP`, stored at 12:00 in the zone +05:00", ("TIMESTAMP NULL", "'2026-07-01 12:00:00'"), {"timestamp": utc(2026, 7, 1, 7)}),
    Kind("`TIME`", ("TIME", "'10:15:30'"), text("10:15:30").fits),
    Kind("`TIME` below zero, over 24 hours", ("TIME(3)", "'-100:00:01.500'"), text("-100:00:01.500").fits),
    Kind("`CHAR`, its trailing spaces gone", ("CHAR(5)", "'ab '"), text("ab").fits),
    Kind("`VARCHAR` with trailing spaces", ("VARCHAR(5)", "'ab '"), text("ab ").fits),
    Kind("`VARCHAR` in latin1", ("VARCHAR(9) CHARACTER SET latin1", "'Añil €'"), text("Añil €").fits),
    Kind("`VARCHAR` in utf8mb3", ("VARCHAR(9) CHARACTER SET utf8mb3", "'Añil ☂'"), text("Añil ☂").fits),
    Kind("`TEXT` in utf8mb4", ("TEXT CHARACTER SET utf8mb4", "'Añil 😀'"), text("Añil 😀").fits),
    Kind("`TEXT` in utf16", ("TEXT CHARACTER SET utf16", "'Añil 😀'"), text("Añil 😀").fits),
    Kind("`ENUM`", ("ENUM('x', 'y')", "'y'"), text("y").fits),
    Kind("`SET`", ("SET('a', 'b')", "'b,a'"), text("a,b").fits),
    Kind("`JSON`, until the step `json`", ("JSON", """'{"a": "x"}'"""), text('{"a": "x"}').fits),
    Kind("`BINARY(4)`, filled up with zeros", ("BINARY(4)", "'ab'"), {"binary": b"ab\0\0"}),
    Kind("`VARBINARY`", ("VARBINARY(9)", "X'00FF'"), {"binary": b"\x00\xff"}),
    Kind("`BLOB`", ("BLOB", "'abc'"), {"binary": b"abc"}),
    Kind("`POINT` and other shapes, as the server stores them", ("POINT", "POINT(1, 2)"), {"binary": bytes.fromhex("000000000101000000000000000000f03f0000000000000040")}),
    Kind("`UUID` of MariaDB", ("UUID", "'123e4567-e89b-12d3-a456-426655440000'"), text("123e4567-e89b-12d3-a456-426655440000").fits),
    Kind("`INET6` of MariaDB", ("INET6", "'::1'"), text("::1").fits),
    Kind("`NULL`", ("INT", "NULL"), NULLS),
]  # fmt: skip
