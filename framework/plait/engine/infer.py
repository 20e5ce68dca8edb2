"""Fields of records without declared columns: each is a column, typed by its values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from plait.problems.errors import IncompatibleTypes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HELP = "declare `columns`"


def infer(name: str, values: Sequence[Any]) -> Any:
    """The values of a field as an array; raises IncompatibleTypes, for a mapping without fields whatever stands beside it."""
    import pyarrow as pa

    try:
        return pa.array([_plain(value) for value in values])
    except OverflowError:
        why = "have too many digits"
    except _Hollow:
        why = "have mappings without fields"
    except (pa.ArrowException, TypeError, ValueError):
        why = "are of several types"
    raise IncompatibleTypes(f"the values of `{name}` {why}", field=name, code="undeclared-type", help=HELP)


def misfit(name: str, fields: Mapping[str, Any]) -> IncompatibleTypes | None:
    """Why a record's field has no type even alone, if so."""
    try:
        infer(name, [fields.get(name)])
    except IncompatibleTypes as error:
        return error
    return None


def kind(name: str, fields: Mapping[str, Any]) -> str:
    """The type of one record's field, empty where it is absent; records of one kind fit together."""
    return str(infer(name, [fields[name]]).type) if name in fields else ""


class _Hollow(Exception):
    """A mapping without fields, which no file holds."""


def _finite(value: float) -> float:
    if math.isinf(value):
        raise OverflowError
    return value


def _plain(value: Any) -> Any:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return _finite(float(value))
    if isinstance(value, dict):
        if not value:
            raise _Hollow
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
