"""The type words of Athena and Glue, and their Arrow types."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    import pyarrow as pa

INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
WORDS = ("string", "boolean", *INTEGERS, "float", "double", "date", "timestamp", "binary")
BRACKETED = ("decimal", "array", "struct")
FORMS = (*WORDS, "decimal(p,s)", "array<T>", "struct<a:T>")
DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)\Z")
FIRST_WORD = re.compile(r"\w+")
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
MAX_DEPTH = 16
# The digits of a number type of another system, and those after its point.
_DIGITS = re.compile(r"\( *([0-9]{1,2})(?: *[.,;] *([0-9]{1,2}))? *\)")
# What other systems call a type, and what to write for it.
FOREIGN_WORDS = {
    **dict.fromkeys(("str", "text", "varchar", "char", "utf8", "uuid", "enum"), "string"),
    **dict.fromkeys(("bool", "bit"), "boolean"),
    **dict.fromkeys(("int8", "byte"), "tinyint"),
    **dict.fromkeys(("int16", "short"), "smallint"),
    **dict.fromkeys(("integer", "int32"), "int"),
    **dict.fromkeys(("int64", "long"), "bigint"),
    **dict.fromkeys(("float32", "real"), "float"),
    **dict.fromkeys(("float64",), "double"),
    **dict.fromkeys(("datetime", "timestamptz", "timestamp_ntz", "time"), "timestamp"),
    **dict.fromkeys(("bytes", "blob", "varbinary"), "binary"),
    **dict.fromkeys(("number", "numeric", "decimal"), "decimal(12,2)"),
    **dict.fromkeys(("list", "array"), "array<string>"),
    **dict.fromkeys(("map", "object", "json", "record", "row", "struct", "dict"), "struct<a:string,b:int>"),
}


class Type(Struct, frozen=True):
    """A column's type: its word, and what stands in its brackets; the one field of an array is its `element`."""

    word: str
    precision: int = 0
    scale: int = 0
    fields: tuple[tuple[str, Type], ...] = ()
    noun: ClassVar[str] = "a type"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": rf"^[ \t\r\n]*(?:{'|'.join(WORDS)}|decimal\( *[0-9]{{1,2}} *, *[0-9]{{1,2}} *\)|array<.+>|struct<.+:.+>)[ \t\r\n]*$",
        "patternErrorMessage": f"the types are {', '.join(FORMS)}",
        "examples": [*WORDS, "decimal(12,2)", "array<string>", "struct<name:string,quantity:int>"],
    }

    @classmethod
    def parse(cls, text: str) -> Type:
        """Read a type as a spec spells it; raises SpecValueError for a text that is none."""
        return parse(text)

    def __str__(self) -> str:
        """The type as a spec spells it."""
        if self.word == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.word == "array":
            return f"array<{self.fields[0][1]}>"
        if self.word == "struct":
            return f"struct<{','.join(f'{name}:{kind}' for name, kind in self.fields)}>"
        return self.word


@cache
def parse(text: str) -> Type:
    """Read a type as a spec spells it; raises SpecValueError for a text that is none.

    >>> str(parse("array<struct<sku:string,price:decimal(12, 2)>>"))
    'array<struct<sku:string,price:decimal(12,2)>>'
    """
    return _parse(text.strip(), 0)


def _parse(text: str, depth: int) -> Type:
    if depth > MAX_DEPTH:
        raise SpecValueError(
            f"types nest at most {MAX_DEPTH} deep", code="unknown-type", help="decode less of it"
        )
    if text in WORDS:
        return Type(text)
    if match := DECIMAL.match(text):
        return _decimal_type(text, int(match[1]), int(match[2]))
    if text.startswith("array<") and text.endswith(">"):
        return Type("array", fields=(("element", _parse(text[6:-1].strip(), depth + 1)),))
    if text.startswith("struct<") and text.endswith(">"):
        return Type("struct", fields=tuple(_struct_fields(text[7:-1], depth + 1)))
    raise _unknown_type(text)


def _unknown_type(text: str) -> SpecValueError:
    """The error of a text that is no type; its help proposes our word for one of another system."""
    first_word = FIRST_WORD.match(text)
    word = first_word[0].lower() if first_word else ""
    rest = text[len(word) :]
    ours = FOREIGN_WORDS.get(word)
    if word in ("array", "list", "struct") and rest.startswith("[") and rest.endswith("]"):
        ours = f"{'struct' if word == 'struct' else 'array'}<{rest[1:-1][:40]}>"
    elif ours == "decimal(12,2)" and (digits := _DIGITS.fullmatch(rest)):
        ours = f"decimal({digits[1]},{digits[2] or 0})"
    help = f"did you mean `{ours}`?" if ours else f"the types are {', '.join(FORMS)}"
    words = () if ours else (*WORDS, *BRACKETED)
    part = first_word[0] if first_word and not ours else text
    return SpecValueError(
        f"no type is called `{text[:40]}`", code="unknown-type", help=help, part=part, words=words
    )


def _decimal_type(text: str, precision: int, scale: int) -> Type:
    if 1 <= precision <= 38 and scale <= precision:
        return Type("decimal", precision, scale)
    if not 1 <= precision <= 38 and not precision < scale <= 38:
        raise SpecValueError(
            "a decimal has 1 to 38 digits", code="unknown-type", help="write `decimal(38,2)`", part=text
        )
    message = f"`{text}` has {precision} digits, of which {scale} after the point"
    help = f"did you mean `decimal({scale},{precision})`?"
    raise SpecValueError(message, code="unknown-type", help=help, part=text)


def _struct_fields(text: str, depth: int) -> list[tuple[str, Type]]:
    fields: dict[str, Type] = {}
    seen: dict[str, str] = {}
    for part in _split_at_commas(text):
        name, colon, kind = (piece.strip() for piece in part.partition(":"))
        if not colon or not FIELD_NAME.match(name):
            message = f"a struct is written `struct<a:string,b:int>`, not `{part.strip()[:40]}`"
            raise SpecValueError(
                message, code="unknown-type", help="give each field a name and a type", part=part.strip()
            )
        if other := seen.get(name.lower()):
            message = f"the struct names `{name}` twice"
            if other != name:
                message = (
                    f"the fields `{other}` and `{name}` differ in case only, which Athena and Glue ignore"
                )
            raise SpecValueError(message, code="unknown-type", help="rename one of them", part=part.strip())
        seen[name.lower()] = name
        fields[name] = _parse(kind, depth)
    return list(fields.items())


def _split_at_commas(text: str) -> list[str]:
    """The parts of a text between its commas, but for commas in brackets."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def arrow_type(kind: Type) -> pa.DataType:
    """The Arrow type of a column's type; timestamps are UTC with microseconds."""
    import pyarrow as pa

    if kind.word == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    if kind.word == "array":
        return pa.list_(pa.field("element", arrow_type(kind.fields[0][1])))
    if kind.word == "struct":
        return pa.struct([pa.field(name, arrow_type(part)) for name, part in kind.fields])
    return _scalar_types()[kind.word]


@cache
def _scalar_types() -> dict[str, Any]:
    import pyarrow as pa

    return {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "binary": pa.binary(),
    }
