"""JSON's own kinds of value, each as it stands in a file, and files that are no record."""

from __future__ import annotations

from decimal import Decimal

from .cells import WORDS, Kind, fraction, whole

NULLS = dict.fromkeys(WORDS)
JSON: list[Kind] = [
    Kind("whole number: `17`", "17", whole(17)),
    Kind("whole number, written with a fraction: `17.0`", "17.0", whole(17)),
    Kind("whole number, written with an exponent: `1e3`", "1e3", whole(1000)),
    Kind("minus zero: `-0`", "-0", whole(0)),
    Kind("minus zero, written with a fraction: `-0.0`", "-0.0", {**whole(0), "double": -0.0}),
    Kind("number with a fraction: `12.50`", "12.50", fraction("12.5")),
    Kind("more digits than the decimal has: `0.12345678901`", "0.12345678901",
        {"double": 0.12345678901, "decimal(38,11)": Decimal("0.12345678901")},
    ),
    Kind("beyond 64 bits: `9223372036854775808`", "9223372036854775808", {"decimal(38,10)": Decimal(2**63), "double": 2.0**63}),
    Kind("38 digits: `12345678901234567890123456789012345678`", "12345678901234567890123456789012345678",
        {"decimal(38,0)": Decimal(12345678901234567890123456789012345678), "double": 1.2345678901234568e37},
    ),
    Kind("39 digits", "1" * 39, {"double": 1.1111111111111111e38}),
    Kind("next to nothing: `5e-324`", "5e-324", {"double": 5e-324}),
    Kind("nearer to nothing than a double can be: `1e-400`", "1e-400", {"double": 0.0}),
    Kind("beyond a double", "1e400"),
    Kind("true", "true", {"boolean": True}),
    Kind("false", "false", {"boolean": False}),
    Kind("null", "null", NULLS),
    Kind("no such key", None, NULLS),
    Kind('list of texts: `["a", null]`', '["a", null]', {"array<string>": ["a", None]}),
    Kind('list of numbers: `[1, "2", 3.0]`', '[1, "2", 3.0]', {"array<bigint>": [1, 2, 3]}),
    Kind("empty list: `[]`", "[]", {"array<string>": []}),
    Kind('list of mappings: `[{"a": "x"}, {}]`', '[{"a": "x"}, {}]',
        {"array<struct<a:string>>": [{"a": "x"}, {"a": None}]},
    ),
    Kind('mapping: `{"a": "x", "b": 1}`', '{"a": "x", "b": 1}', {"struct<a:string>": {"a": "x"}}),
    Kind("empty mapping: `{}`", "{}", {"struct<a:string>": {"a": None}}),
    Kind('mapping with a number: `{"a": 1}`', '{"a": 1}', {"struct<a:bigint>": {"a": 1}}),
]  # fmt: skip
NO_JSON: list[Kind] = [
    Kind("`NaN`, `Infinity`", b'{"v": NaN}'),
    Kind("a key twice", b'{"v": 1, "v": 1}'),
    Kind("half of a surrogate pair", b'{"v": "\\ud83d"}'),
    Kind("a number of thousands of digits", b'{"v": ' + b"9" * 5000 + b"}"),
    Kind("nested deeper than 100 levels", b'{"v": ' + b"[" * 100 + b"]" * 100 + b"}"),
    Kind("cut off", b'{"v": "a'),
    Kind("something after the object", b'{"v": "a"} {}'),
    Kind("a list, a text, a number at the top, which the step `json` takes", b'["a"]'),
    Kind("another encoding than UTF-8", '{"v": "a"}'.encode("utf-16")),
    Kind("empty", b""),
    Kind("compressed, whatever its `Content-Encoding`", b"\x1f\x8b\x08\x00"),
]
