"""Many raw values at once to one Arrow array, only where that is what `convert` gives for each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from plait.values.convert import MAX_EXPONENT
from plait.values.types import INTEGERS, to_arrow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from plait.values.types import Type

NOTHING = type(None)
LIMIT = 1 << 63
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


def array(values: Sequence[Any] | pa.Array, kind: Type) -> pa.Array | None:
    """The values in Arrow's type of the kind, None being null; None where one may not fit or is unusual."""
    import pyarrow as pa

    try:
        if isinstance(values, pa.Array):
            plain = pa.types.is_string(values.type)
            return _text_array(values, kind) if plain else _array_of(values.to_pylist(), kind)
        return _array_of(values, kind)
    except (pa.ArrowException, ValueError, OverflowError):
        return None


def _array_of(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    found = {type(value) for value in values} - {NOTHING}
    if not found:
        return pa.nulls(len(values), to_arrow(kind))
    make = next((make for kinds, words, make in MAKERS if found <= kinds and kind.word in words), None)
    return make(values, kind) if make else None


def _text_array(texts: pa.Array, kind: Type) -> pa.Array | None:
    """Texts in Arrow's type of the kind; None where one of them is not written in the usual way."""
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
    return texts.cast(to_arrow(kind))


def _decimal_pattern(kind: Type) -> str:
    """Only digits that the type has, since Arrow's cast may bend what has more."""
    whole = kind.precision - kind.scale
    before = f"(?:0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "0"
    return f"-?{before}" + (f"(?:\\.[0-9]{{1,{kind.scale}}})?" if kind.scale else "")


def _same(values: Sequence[Any], kind: Type) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, type=to_arrow(kind))


def _text(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    return _text_array(pa.array(values, type=pa.string()), kind)


def _decimal(values: Sequence[Any], kind: Type) -> pa.Array | None:
    return _same(values, kind) if _moderate(values) else None


def _double(values: Sequence[Any], kind: Type) -> pa.Array | None:
    """Numbers to the nearest double; one that is neither finite nor exactly told is unusual."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _moderate(values):
        return None
    doubles = pa.array([None if value is None else float(value) for value in values], type=pa.float64())
    near = pc.less(pc.abs(doubles), 3e38 if kind.word == "float" else float("inf"))
    return doubles.cast(to_arrow(kind)) if pc.all(near).as_py() else None


def _moderate(values: Sequence[Any]) -> bool:
    """Whether each number is of a size that `values.number` takes."""
    exact = [value.adjusted() for value in values if type(value) is Decimal]
    whole = [value for value in values if type(value) is int]
    sound = not exact or (min(exact) >= -MAX_EXPONENT and max(exact) <= MAX_EXPONENT)
    return sound and (not whole or (min(whole) >= -LIMIT and max(whole) < LIMIT))


def _timestamp(values: Sequence[Any], kind: Type) -> pa.Array | None:
    zones = {value.tzinfo for value in values if value is not None}
    return _same(values, kind) if zones <= {None, UTC} else None


def _array(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    parts = array([one for value in values if value for one in value], kind.fields[0][1])
    if parts is None:
        return None
    ends = [0, *accumulate(len(value or ()) for value in values)]
    offsets = [None if value is None else start for value, start in zip(values, ends, strict=False)]
    marks = pa.array([*offsets, ends[-1]], type=pa.int32())
    return pa.ListArray.from_arrays(marks, parts, type=to_arrow(kind))


def _struct(values: Sequence[Any], kind: Type) -> pa.Array | None:
    import pyarrow as pa

    parts = []
    for name, part in kind.fields:
        parts.append(array([value and value.get(name) for value in values], part))
        if parts[-1] is None:
            return None
    absent = pa.array([value is None for value in values])
    return pa.StructArray.from_arrays(parts, fields=list(to_arrow(kind)), mask=absent)


MAKERS: tuple[tuple[set[type], set[str], Callable[[Sequence[Any], Type], pa.Array | None]], ...] = (
    ({str}, {"string", "decimal", *PATTERNS}, _text),
    ({bool}, {"boolean"}, _same),
    ({int}, {*INTEGERS}, _same),
    ({int, Decimal}, {"decimal"}, _decimal),
    ({int, Decimal, float}, {"float", "double"}, _double),
    ({datetime}, {"timestamp"}, _timestamp),
    ({date}, {"date"}, _same),
    ({bytes}, {"binary"}, _same),
    ({list}, {"array"}, _array),
    ({dict}, {"struct"}, _struct),
)
