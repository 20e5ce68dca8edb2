"""The type words of Athena and Glue, and their Arrow types."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
WORDS = ("string", "boolean", *INTEGERS, "float", "double", "date", "timestamp", "binary")
NESTED = ("array", "map", "struct")
BRACKETED = ("decimal", *NESTED)
FORMS = (*WORDS, "decimal(p,s)", "array<T>", "map<string,T>", "struct<a:T>")
DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)\Z")
FIRST_WORD = re.compile(r"\w+")
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NAME = r'(?:"([^"]+)"|([A-Za-z_][A-Za-z0-9_]*))'
_FIELD = rf"{_NAME}\s*:(.*?)(?:\sfrom\s+{_NAME})?"
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
    **dict.fromkeys(("object", "json", "record", "row", "struct", "dict"), "struct<a:string,b:int>"),
    "map": "map<string,string>",
}


class Type(Struct, frozen=True):
    """A column's type: its word, and what stands in its brackets.

    An array has the field `element`, a map `key` and `value`. `origins` are the names of a struct's fields in the records.
    """

    word: str
    precision: int = 0
    scale: int = 0
    fields: tuple[tuple[str, Type], ...] = ()
    origins: tuple[str, ...] = ()
    noun: ClassVar[str] = "a type"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": rf"^[ \t\r\n]*(?:{'|'.join(WORDS)}|decimal\( *[0-9]{{1,2}} *, *[0-9]{{1,2}} *\)|array<.+>|map<.+,.+>|struct<.+:.+>)[ \t\r\n]*$",
        "patternErrorMessage": f"the types are {', '.join(FORMS)}",
        "examples": [*WORDS, "decimal(12,2)", "array<string>", "map<string,int>", "struct<a:string,b:int>"],
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
            texts = (
                f"{spell_name(name)}:{kind}" + (f" from {spell_name(origin)}" if origin != name else "")
                for name, origin, kind in self.places
            )
            return f"struct<{','.join(texts)}>"
        return f"map<string,{self.fields[1][1]}>" if self.word == "map" else self.word

    @property
    def places(self) -> Iterable[tuple[str, str, Type]]:
        """The name of each field of a struct, its name in the records, and its type."""
        origins = self.origins or [name for name, _ in self.fields]
        return [(name, origin, kind) for (name, kind), origin in zip(self.fields, origins, strict=True)]

    def in_table(self) -> Type:
        """The type as readers of the table know it, without the names that fields have in the records."""
        fields = tuple((name, kind.in_table()) for name, kind in self.fields)
        return Type(self.word, self.precision, self.scale, fields)


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
        return _struct_type(text[7:-1], depth + 1)
    if text.startswith("map<") and text.endswith(">"):
        return _map_type(text[4:-1], depth + 1)
    raise _unknown_type(text)


def _unknown_type(text: str) -> SpecValueError:
    """The error of a text that is no type; its help proposes our word for one of another system."""
    first_word = FIRST_WORD.match(text)
    word = first_word[0].lower() if first_word else ""
    rest = text[len(word) :]
    ours = FOREIGN_WORDS.get(word)
    if word in (*NESTED, "list") and rest.startswith("[") and rest.endswith("]"):
        ours = f"{'array' if word == 'list' else word}<{rest[1:-1][:40]}>"
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


def _map_type(text: str, depth: int) -> Type:
    key, *values = (part.strip() for part in _split_at_commas(text))
    if key != "string" or len(values) != 1:
        message = f"a map is written `map<string,T>`, not `map<{text[:40]}>`"
        help = f"did you mean `map<string,{(values or [key])[-1][:40] or 'string'}>`?"
        raise SpecValueError(message, code="unknown-type", help=help, part=f"map<{text}>")
    return Type("map", fields=(("key", Type("string")), ("value", _parse(values[0], depth))))


def _struct_type(text: str, depth: int) -> Type:
    fields: dict[str, Type] = {}
    seen: dict[str, str] = {}
    origins: list[str] = []
    for part in map(str.strip, _split_at_commas(text)):
        match = re.fullmatch(_FIELD, part, re.DOTALL)
        name = match and (match[1] or match[2])
        if not match or not name or not name.isprintable():
            raise _no_field(part)
        if other := seen.get(name.lower()):
            in_case = f"the fields `{other}` and `{name}` differ in case only, which Athena and Glue ignore"
            message = f"the struct names `{name}` twice" if other == name else in_case
            raise SpecValueError(message, code="unknown-type", help="rename one of them", part=part)
        seen[name.lower()] = name
        fields[name] = _parse(match[3].strip(), depth)
        origins.append(match[4] or match[5] or name)
    return Type(
        "struct", fields=tuple(fields.items()), origins=() if origins == [*fields] else tuple(origins)
    )


def _no_field(part: str) -> SpecValueError:
    """The error of a text that is no field of a struct; its help names an odd name as a column could be named."""
    name, colon, kind = (piece.strip() for piece in part.partition(":"))
    plain = plain_name(name)[:40] if colon else ""
    help = f'write `{plain}:{kind[:40]} from "{name[:40]}"`' if plain else "give each field a name and a type"
    message = f"a struct is written `struct<a:string,b:int>`, not `{part[:40]}`"
    return SpecValueError(message, code="unknown-type", help=help, part=part)


def plain_name(name: str) -> str:
    """The name that a field gets whose own has more than letters, digits and `_`; empty if there is none."""
    plain = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if FIELD_NAME.match(plain) and '"' not in name else ""


def spell_name(name: str) -> str:
    """The name of a field as a type spells it."""
    return name if FIELD_NAME.match(name) else f'"{name}"'


def _split_at_commas(text: str) -> list[str]:
    """The parts of a text between its commas, but for commas in brackets and quotes."""
    parts, depth, start, in_quotes = [], 0, 0, False
    for index, char in enumerate(text):
        in_quotes ^= char == '"'
        depth += not in_quotes and (char in "<(") - (char in ">)")
        if char == "," and not (in_quotes or depth):
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
    if kind.word == "map":
        return pa.map_(pa.string(), arrow_type(kind.fields[1][1]))
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
