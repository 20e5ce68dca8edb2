"""Texts, which mean the same in every source, and what else they are the full text of."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from .cells import Kind, text, utc

DAY = date(2026, 7, 1)
MORNING = utc(2026, 7, 1, 10, 15, 30)
TEXTS: list[Kind] = [
    text("abc"),
    text(""),
    text("17", bigint=17, decimal=Decimal(17), double=17.0),
    text("-17", bigint=-17, decimal=Decimal(-17), double=-17.0),
    text("17.0", bigint=17, decimal=Decimal(17), double=17.0),
    text("1e3", bigint=1000, decimal=Decimal(1000), double=1000.0),
    text("12.50", decimal=Decimal("12.5"), double=12.5),
    text("-0", bigint=0, decimal=Decimal(0), double=-0.0),
    text(
        "0.12345678901",
        double=0.12345678901,
        **{"decimal(38,11)": Decimal("0.12345678901")},
    ),
    text("9223372036854775807", bigint=2**63 - 1, decimal=Decimal(2**63 - 1), double=2.0**63),
    text("9223372036854775808", decimal=Decimal(2**63), double=2.0**63),
    text("1e400"),
    text("012"),
    text("+17"),
    text(" 17"),
    text("17 "),
    text("17,5"),
    text("1_000"),
    text("0x11"),
    text("１７"),
    text("NaN"),
    text("Infinity"),
    text("true", boolean=True),
    text("false", boolean=False),
    text("True"),
    text("yes"),
    text("1", bigint=1, decimal=Decimal(1), double=1.0),
    text("NA"),
    text("null"),
    text("2026-07-01", date=DAY, timestamp=utc(2026, 7, 1)),
    text("2026-07-01T10:15:30Z", timestamp=MORNING),
    text("2026-07-01t10:15:30z", timestamp=MORNING),
    text("2026-07-01 10:15:30", timestamp=MORNING),
    text("2026-07-01T10:15:30", timestamp=MORNING),
    text("2026-07-01T10:15", timestamp=utc(2026, 7, 1, 10, 15)),
    text("2026-07-01T12:15:30+02:00", timestamp=MORNING),
    text("2026-07-01T12:15:30+0200", timestamp=MORNING),
    text("2026-07-01T10:15:30.1234567Z", timestamp=utc(2026, 7, 1, 10, 15, 30, 123456)),
    text("2026-07-01T10:15:30,5Z", timestamp=utc(2026, 7, 1, 10, 15, 30, 500000)),
    text("2026-02-30"),
    text("2026-07-01T24:00:00Z"),
    text("2026-06-30T23:59:60Z"),
    text("2026-07-01T10Z"),
    text("2026-W27-3"),
    text("20260701", bigint=20260701, decimal=Decimal(20260701), double=20260701.0),
    text("01/07/2026"),
    text("10:15:30"),
    text("0000-00-00"),
    text("Añil ☂ 😀"),
    text("two\nlines"),
    text("\x00"),
    text("YWJj"),
    text("[1]"),
]
