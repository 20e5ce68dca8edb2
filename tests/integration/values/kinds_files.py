"""What CSV fields, lines of logs and rows in a spec have beside texts."""

from __future__ import annotations

from decimal import Decimal

from .cells import Kind, fraction, text, whole
from .kinds_json import NULLS

CSV: list[Kind] = [
    Kind("nothing: `,,`", ",x", NULLS),
    Kind('empty quotes: `""`', '"",x', text("").fits),
    Kind("quotes around it", '"17",x', text("17", bigint=17, decimal=Decimal(17), double=17.0).fits),
    Kind("quotes within", '"say ""hi""",x', text('say "hi"').fits),
    Kind("quotes in the middle", 'a"b"c,x', text('a"b"c').fits),
    Kind("a delimiter in quotes", '"a,b",x', text("a,b").fits),
    Kind("a line end in quotes", '"a\r\nb",x', text("a\r\nb").fits),
    Kind("spaces around it", " a ,x", text(" a ").fits),
    Kind("a formula", "=1+1,x", text("=1+1").fits),
]
NO_CSV: list[Kind] = [
    Kind("a line with more fields than the header", b"v,w\na,x,y\n"),
    Kind("a line with fewer fields than the header", b"v,w\na\n"),
    Kind("a file whose quotes never close", b'v,w\n"a,x\n'),
    Kind("an empty file, without a header", b""),
    Kind("a file with a name twice in the header", b"v,v\na,b\n"),
    Kind("a file with an empty name in the header", b"v,\na,b\n"),
    Kind("a file in another encoding than UTF-8", b"v\n\xff\n"),
    Kind("a file with a field of more than 131,072 characters", b"v\n" + b"x" * 131_073 + b"\n"),
]
MEMORY: list[Kind] = [
    Kind("whole number", 17, whole(17)),
    Kind("number with a fraction", 12.5, fraction("12.5")),
    Kind("number that is no double", 0.1, fraction("0.1")),
    Kind("true", True, {"boolean": True}),
    Kind("null", None, NULLS),
    Kind("list", ["a", 1], {}),
    Kind("list of one type", ["a", "b"], {"array<string>": ["a", "b"]}),
    Kind("mapping", {"a": "x"}, {"struct<a:string>": {"a": "x"}}),
]
