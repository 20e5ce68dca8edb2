"""Guess the type of a column from its values: of plait's types the first that holds all of them as they are; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

from plait.values.conversion_error import ConversionError
from plait.values.convert import Flag, convert
from plait.values.iso_times import TIMESTAMP
from plait.values.types import FIELD_NAME, MAX_DEPTH, Type, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STRING, DATE, TIME, DOUBLE = Type("string"), Type("date"), Type("timestamp"), Type("double")
DECIMALS = [Type("decimal", precision, scale) for precision in (18, 38) for scale in range(2, 7)]
PLAIN = {"truth values": (Type("boolean"),), "times": (DATE, TIME), "bytes": (Type("binary"),)}
MICROSECOND_DIGITS = 6
KINDS: dict[str, tuple[type, ...]] = {
    "truth values": (bool, Flag),
    "numbers": (int, float, Decimal),
    "texts": (str,),
    "times": (datetime, date),
    "bytes": (bytes, bytearray),
    "mappings": (Mapping,),
    "lists": (list, tuple, set),
}


def guess_type(values: Iterable[Any], left_out: list[str], place: str = "", depth: int = 0) -> Type | None:
    """The type of these values, of which None says nothing; None where no type holds them.

    Places of nested fields that no type holds are added to `left_out`. All values null are taken for text.

    >>> str(guess_type([{"total": Decimal("12.5")}, {"total": None, "tags": ["a"]}], []))
    'struct<total:decimal(18,2),tags:array<string>>'
    """
    known = [value for value in values if value is not None]
    if not known:
        return STRING
    typed = [value for value in known if not isinstance(value, str)] or known
    kinds = kinds_of(typed)
    if len(kinds) > 1 or depth > MAX_DEPTH:
        return None
    if "numbers" in kinds:
        typed += [Decimal(text) for text in known if isinstance(text, str) and _holds(DOUBLE, [text])]
    candidates = _candidates(next(iter(kinds)), typed, left_out, place, depth)
    return next((kind for kind in candidates if _holds(kind, known)), None)


def kinds_of(values: Sequence[Any]) -> Counter[str]:
    """How many values there are of each kind; 0 and 1 of a source without booleans are numbers beside other numbers."""
    kinds = Counter(next((kind for kind in KINDS if isinstance(value, KINDS[kind])), "") for value in values)
    if "numbers" in kinds and all(isinstance(value, (int, float, Decimal)) for value in values):
        flags = sum(isinstance(value, Flag) for value in values)
        kinds = +(kinds + Counter({"numbers": flags}) - Counter({"truth values": flags}))
    return kinds


def remark_on(kind: Type, values: Sequence[Any]) -> str | None:
    """What to know of texts that a type was guessed from, or stands beside."""
    texts = [value for value in values if isinstance(value, str)]
    if not texts or kind.word not in ("string", "timestamp"):
        return f"{len(texts)} as text" if texts and kind.word != "string" else None
    matches = [match for match in map(TIMESTAMP.match, texts) if match]
    zoneless = sum(match[5] is None for match in matches)
    if kind.word == "string":
        return "times without a zone, which `timestamp` takes for UTC" if zoneless == len(texts) else None
    remark = f"{len(texts)} as text" + (f", {zoneless} without a zone, so UTC" if zoneless else "")
    fine = sum(len(match[4] or "") > MICROSECOND_DIGITS for match in matches)
    return remark + (f", {fine} cut to microseconds" if fine else "")


def _candidates(kind: str, values: list[Any], left_out: list[str], place: str, depth: int) -> Iterable[Type]:
    """The types that values of one kind may have, the one to prefer first."""
    if kind == "numbers":
        return _number_types(values)
    if kind == "texts":
        return (DATE, TIME, STRING) if any(map(_has_zone, values)) else (DATE, STRING)
    if kind == "lists":
        element = guess_type(chain.from_iterable(values), left_out, f"{place}[]", depth + 1)
        return () if element is None else (Type("array", fields=(("element", element),)),)
    if kind == "mappings":
        fields = _fields(values, left_out, place, depth)
        origins = () if [name for name, _ in fields.values()] == [*fields] else tuple(fields)
        return (Type("struct", fields=tuple(fields.values()), origins=origins),) if fields else ()
    return PLAIN.get(kind, ())


def _number_types(values: list[Any]) -> Iterator[Type]:
    """Money, as most numbers with a fraction are, is a decimal; whoever writes more than six digits has measured.

    Where some are written without a point and all are whole, they are whole numbers: a key `17.00` would meet no `17`.
    """
    if not any(isinstance(value, float) for value in values):
        with_point = [v for v in values if isinstance(v, Decimal) and int(v.as_tuple().exponent) < 0]
        if len(with_point) < len(values) and all(value == value.to_integral_value() for value in with_point):
            yield from (Type("bigint"), Type("decimal", 38, 0))
        else:
            yield from DECIMALS
    yield DOUBLE


def _has_zone(text: str) -> bool:
    match = TIMESTAMP.match(text)
    return match is not None and match[5] is not None


def _fields(
    values: list[Mapping[str, Any]], left_out: list[str], place: str, depth: int
) -> dict[str, tuple[str, Type]]:
    """The fields of mappings that a struct can have, by their names there: each with a plain name and its type."""
    fields: dict[str, tuple[str, Type]] = {}
    taken: set[str] = set()
    for origin in dict.fromkeys(chain.from_iterable(values)):
        inner = f"{place}.{origin}"
        name = origin if FIELD_NAME.match(origin) else plain_name(origin)
        is_free = name and name.lower() not in taken
        known = (value.get(origin) for value in values)
        kind = guess_type(known, left_out, inner, depth + 1) if is_free else None
        if kind is None:
            left_out.append(inner)
        else:
            taken.add(name.lower())
            fields[origin] = (name, kind)
    return fields


def _holds(kind: Type, values: list[Any]) -> bool:
    try:
        for value in values:
            convert(value, kind)
    except ConversionError:
        return False
    return True
