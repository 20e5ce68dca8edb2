"""DynamoDB's kinds of attribute, and what a line of a log gives."""

from __future__ import annotations

from decimal import Decimal

from .cells import Kind, fraction, whole
from .kinds_json import NULLS

EXACT = "1234567890123456789012345678.0123456789"
DYNAMODB: list[Kind] = [
    Kind("`N`, whole", {"N": "17"}, whole(17)),
    Kind("`N`, with a fraction", {"N": "12.50"}, fraction("12.5")),
    Kind("`N` of 38 digits", {"N": EXACT}, fraction(EXACT)),
    Kind("`N`, the greatest", {"N": "9.9999999999999999999999999999999999999E+125"}, {"double": 1e126}),
    Kind("`N`, the least", {"N": "1E-130"}, {"double": 1e-130}),
    Kind("`BOOL`", {"BOOL": True}, {"boolean": True}),
    Kind("`NULL`", {"NULL": True}, NULLS),
    Kind("no such attribute", None, NULLS),
    Kind("`B`", {"B": b"\x00\xff"}, {"binary": b"\x00\xff"}),
    Kind("`B`, empty", {"B": b""}, {"binary": b""}),
    Kind("`SS`, sorted", {"SS": ["b", "a"]}, {"array<string>": ["a", "b"]}),
    Kind("`NS`, sorted", {"NS": ["10", "9.5"]}, {"array<decimal(9,1)>": [Decimal("9.5"), Decimal("10.0")]}),
    Kind("`BS`, sorted", {"BS": [b"b", b"a"]}, {"array<binary>": [b"a", b"b"]}),
    Kind("`L`", {"L": [{"N": "1"}, {"NULL": True}, {"S": "2"}]}, {"array<bigint>": [1, None, 2]}),
    Kind("`L`, empty", {"L": []}, {"array<string>": []}),
    Kind("`M`", {"M": {"a": {"S": "x"}, "b": {"N": "1"}}}, {"struct<a:string>": {"a": "x"}, "struct<b:int>": {"b": 1}}),
    Kind("`M`, empty", {"M": {}}, {"struct<a:string>": {"a": None}}),
    Kind(
        "`M` in `L` in `M`", {"M": {"a": {"L": [{"M": {"b": {"BOOL": False}}}]}}},
        {"struct<a:array<struct<b:boolean>>>": {"a": [{"b": False}]}},
    ),
]  # fmt: skip
