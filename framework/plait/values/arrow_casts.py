"""Convert many raw values at once to an Arrow array, only where the result is certain to equal that of `convert`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from plait.values.convert import MAX_EXPONENT
from plait.values.types import INTEGERS, arrow_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from plait.values.types import Type

MANY = 32
INT64_BOUND = 1 << 63
YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
INTEGER = "-?(?:0|[1-9][0-9]{0,18})"
NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?"
DAY = f"{YEAR}-[0-9]{{2}}-[0-9]{{2}}"
PATTERNS = {
    "boolean": "true|false",
    **dict.fromkeys(INTEGERS, INTEGER),
    "float": NUMBER,
    "double": NUMBER,
    "date": DAY,
    "timestamp": f"{DAY}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\\.[0-9]{{1,30}})?Z?",
}


def cast_many(values: Sequence[Any] | pa.Array, kind: Type) -> pa.Array | None:
    """What `to_array` gives; None for a few values too, for which loading `pyarrow.compute` would not pay."""
    is_many = len(values) >= MANY or any(
        len(value) >= MANY for value in values if isinstance(value, (list, dict))
    )
    return to_array(values, kind) if is_many else None


def to_array(values: Sequence[Any] | pa.Array, kind: Type) -> pa.Array | None:
    """The values as an array of the type, with null for None; None if a value needs the slow, exact conversion."""
    import pyarrow as pa

    try:
        if isinstance(values, pa.Array):
            is_text = pa.types.is_string(values.type)
            return _cast_texts(values, kind) if is_text else _cast_values(values.to_pylist(), kind)
        return _cast_values(values, kind)
    except (pa.ArrowException, ValueError, OverflowError):
        return None


def _cast_values(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    classes = {type(value) for value in values} - {type(None)}
    if not classes:
        return pa.nulls(len(values), arrow_type(kind))
    casts = (cast for taken, words, cast in CASTS if classes <= taken and kind.word in words)
    cast = next(casts, None)
    return cast(values, kind) if cast else None


def _cast_texts(texts: pa.Array, kind: Type) -> pa.Array | None:
    """Texts as an array of the type; None if a text needs the slow, exact conversion."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind.word == "string":
        return texts
    pattern = _decimal_pattern(kind) if kind.word == "decimal" else PATTERNS.get(kind.word)
    if pattern is None or not pc.all(pc.match_substring_regex(texts, rf"\A(?:{pattern})\z")).as_py():
        return None
    if kind.word == "timestamp":
        texts = pc.utf8_slice_codeunits(pc.utf8_rtrim(texts, "Z"), 0, 26).cast(pa.timestamp("us"))
    if kind.word == "float":
        texts = texts.cast(pa.float64())
    return texts.cast(arrow_type(kind))


def _decimal_pattern(kind: Type) -> str:
    """The pattern of numbers with no more digits than the type has, since Arrow's cast may change those with more."""
    integer_digits = kind.precision - kind.scale
    before = f"(?:0|[1-9][0-9]{{0,{integer_digits - 1}}})" if integer_digits else "0"
    return f"-?{before}" + (f"(?:\\.[0-9]{{1,{kind.scale}}})?" if kind.scale else "")


def _unchanged(values: Sequence[Any], kind: Type) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, type=arrow_type(kind))


def _from_texts(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    return _cast_texts(pa.array(values, type=pa.string()), kind)


def _to_decimal(values: Sequence[Any], kind: Type) -> pa.Array | None:
    return _unchanged(values, kind) if _are_moderate(values) else None


def _to_double(values: Sequence[Any], kind: Type) -> pa.Array | None:
    """Numbers as the nearest doubles; None if one is not finite, or out of the range of the type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _are_moderate(values):
        return None
    doubles = pa.array([None if value is None else float(value) for value in values], type=pa.float64())
    in_range = pc.less(pc.abs(doubles), 3e38 if kind.word == "float" else float("inf"))
    return doubles.cast(arrow_type(kind)) if pc.all(in_range).as_py() else None


def _are_moderate(values: Sequence[Any]) -> bool:
    """Whether each number is of a usual size, and each integer has at most 64 bits."""
    exponents = [value.adjusted() for value in values if type(value) is Decimal]
    integers = [value for value in values if type(value) is int]
    if exponents and not (min(exponents) >= -MAX_EXPONENT and max(exponents) <= MAX_EXPONENT):
        return False
    return not integers or (min(integers) >= -INT64_BOUND and max(integers) < INT64_BOUND)


def _to_timestamp(values: Sequence[Any], kind: Type) -> pa.Array | None:
    zones = {value.tzinfo for value in values if value is not None}
    return _unchanged(values, kind) if zones <= {None, UTC} else None


def _to_list(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    elements = to_array([element for value in values if value for element in value], kind.fields[0][1])
    if elements is None:
        return None
    return pa.ListArray.from_arrays(_bounds(values), elements, type=arrow_type(kind))


def _to_map(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    (_, key_kind), (_, part_kind) = kind.fields
    keys = to_array([key for value in values if value for key in value], key_kind)
    parts = to_array([part for value in values if value for part in value.values()], part_kind)
    if keys is None or parts is None:
        return None
    return pa.MapArray.from_arrays(_bounds(values), keys, parts, type=arrow_type(kind))


def _bounds(values: Sequence[Any]) -> pa.Array:
    """Where the elements of each list or mapping begin among those of all; null for None."""
    import pyarrow as pa

    ends = [0, *accumulate(len(value or ()) for value in values)]
    offsets = [None if value is None else start for value, start in zip(values, ends, strict=False)]
    return pa.array([*offsets, ends[-1]], type=pa.int32())


def _to_struct(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    members = []
    for _, origin, member_kind in kind.places:
        members.append(to_array([value and value.get(origin) for value in values], member_kind))
        if members[-1] is None:
            return None
    absent = pa.array([value is None for value in values])
    return pa.StructArray.from_arrays(members, fields=list(arrow_type(kind)), mask=absent)


# The classes of Python that are cast, to which types, and how.
CASTS: tuple[tuple[set[type], set[str], Callable[[Sequence[Any], Type], pa.Array | None]], ...] = (
    ({str}, {"string", "decimal", *PATTERNS}, _from_texts),
    ({bool}, {"boolean"}, _unchanged),
    ({int}, {*INTEGERS}, _unchanged),
    ({int, Decimal}, {"decimal"}, _to_decimal),
    ({int, Decimal, float}, {"float", "double"}, _to_double),
    ({datetime}, {"timestamp"}, _to_timestamp),
    ({date}, {"date"}, _unchanged),
    ({bytes}, {"binary"}, _unchanged),
    ({list}, {"array"}, _to_list),
    ({dict}, {"struct"}, _to_struct),
    ({dict}, {"map"}, _to_map),
)
