"""Infer the type of a field that no source declares from the values of its records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from plait.problems.errors import IncompatibleTypes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DECLARE_COLUMNS = "declare `columns`"


def infer_column(name: str, values: Sequence[Any]) -> Any:
    """The values of a field as an array of the type that holds them all.

    Raises IncompatibleTypes where none does, and where a value has a mapping without fields.
    """
    import pyarrow as pa

    try:
        return pa.array([_as_arrow_value(value) for value in values])
    except OverflowError:
        why = "have too many digits"
    except _EmptyMapping:
        why = "have mappings without fields"
    except (pa.ArrowException, TypeError, ValueError):
        why = "are of several types"
    message = f"the values of `{name}` {why}"
    raise IncompatibleTypes(message, field=name, code="undeclared-type", help=DECLARE_COLUMNS)


def type_error_of(name: str, fields: Mapping[str, Any]) -> IncompatibleTypes | None:
    """Why a record's field has no type even alone, or None if it has one."""
    try:
        infer_column(name, [fields.get(name)])
    except IncompatibleTypes as error:
        return error
    return None


def type_name(name: str, fields: Mapping[str, Any]) -> str:
    """The type of one record's field, empty where it is absent; records of one type fit together."""
    return str(infer_column(name, [fields[name]]).type) if name in fields else ""


class _EmptyMapping(Exception):
    """A mapping has no fields, and files cannot hold it."""


def _as_arrow_value(value: Any) -> Any:
    """The value as Arrow infers its type: a decimal as a float."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return _finite(float(value))
    if isinstance(value, dict):
        if not value:
            raise _EmptyMapping
        return {name: _as_arrow_value(member) for name, member in value.items()}
    return [_as_arrow_value(member) for member in value] if isinstance(value, (list, tuple)) else value


def _finite(number: float) -> float:
    if math.isinf(number):
        raise OverflowError
    return number
