"""Guess the type of a column from its values: of plait's types the first that holds all of them as they are; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

from plait.values.convert import TIMESTAMP, ConversionError, Flag, convert
from plait.values.types import FIELD_NAME, MAX_DEPTH, Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STRING, DATE, TIME = Type("string"), Type("date"), Type("timestamp")
DECIMALS = [Type("decimal", precision, scale) for precision in (18, 38) for scale in range(2, 7)]
PLAIN = {"truth values": (Type("boolean"),), "times": (DATE, TIME), "bytes": (Type("binary"),)}
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
    kinds = kinds_of(known)
    if len(kinds) > 1 or depth > MAX_DEPTH:
        return None
    candidates = _candidates(next(iter(kinds)), known, left_out, place, depth)
    return next((kind for kind in candidates if _holds(kind, known)), None)


def kinds_of(values: Sequence[Any]) -> Counter[str]:
    """How many values there are of each kind; 0 and 1 of a source without booleans are numbers beside other numbers."""
    kinds = Counter(next((kind for kind in KINDS if isinstance(value, KINDS[kind])), "") for value in values)
    if "numbers" in kinds and all(isinstance(value, (int, float, Decimal)) for value in values):
        flags = sum(isinstance(value, Flag) for value in values)
        kinds = +(kinds + Counter({"numbers": flags}) - Counter({"truth values": flags}))
    return kinds


def remark_on(kind: Type, values: Sequence[Any]) -> str | None:
    """What to know of a type that was guessed from texts."""
    texts = [value for value in values if isinstance(value, str)]
    if not texts or kind.word not in ("string", "date", "timestamp"):
        return None
    if kind.word != "string":
        return "texts of dates" if kind == DATE else "texts of times with their zone"
    matches = [TIMESTAMP.match(text) for text in texts]
    has_no_zone = all(match is not None and match[5] is None for match in matches)
    return "times without a zone, which `timestamp` takes for UTC" if has_no_zone else None


def _candidates(kind: str, values: list[Any], left_out: list[str], place: str, depth: int) -> Iterable[Type]:
    """The types that values of one kind may have, the one to prefer first."""
    if kind == "numbers":
        return _number_types(values)
    if kind == "texts":
        return (TIME, STRING) if all(map(_is_exact_time, values)) else (DATE, STRING)
    if kind == "lists":
        element = guess_type(chain.from_iterable(values), left_out, f"{place}[]", depth + 1)
        return () if element is None else (Type("array", fields=(("element", element),)),)
    if kind == "mappings":
        fields = _fields(values, left_out, place, depth)
        return (Type("struct", fields=fields),) if fields else ()
    return PLAIN.get(kind, ())


def _number_types(values: list[Any]) -> Iterator[Type]:
    """Money, as most numbers with a fraction are, is a decimal; whoever writes more than six digits has measured."""
    if not any(isinstance(value, float) for value in values):
        if any(isinstance(value, Decimal) and int(value.as_tuple().exponent) < 0 for value in values):
            yield from DECIMALS
        else:
            yield from (Type("bigint"), Type("decimal", 38, 0))
    yield Type("double")


def _is_exact_time(text: str) -> bool:
    """Whether a text is a moment whatever its reader supposes: with its zone, and no digits beyond the microsecond."""
    match = TIMESTAMP.match(text)
    return match is not None and match[5] is not None and len(match[4] or "") <= 6


def _fields(values: list[Mapping[str, Any]], left_out: list[str], place: str, depth: int) -> tuple[Any, ...]:
    """The fields of mappings that a struct can have, with their types."""
    fields: dict[str, tuple[str, Type]] = {}
    for name in dict.fromkeys(chain.from_iterable(values)):
        inner = f"{place}.{name}"
        is_name = FIELD_NAME.match(name) and name.lower() not in fields
        kind = (
            guess_type((value.get(name) for value in values), left_out, inner, depth + 1) if is_name else None
        )
        if kind is None:
            left_out.append(inner)
        else:
            fields[name.lower()] = (name, kind)
    return tuple(fields.values())


def _holds(kind: Type, values: list[Any]) -> bool:
    try:
        for value in values:
            convert(value, kind)
    except ConversionError:
        return False
    return True
