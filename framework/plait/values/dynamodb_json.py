"""Read items and attributes as DynamoDB writes them into JSON, in its streams and exports: `{"id": {"S": "a1"}}`."""

from __future__ import annotations

import binascii
from typing import Any

from plait.values.conversion_error import ConversionError, conversion_error
from plait.values.convert import exact_number
from plait.values.types import Type


def untyped(value: Any) -> Any:
    """The values of an item, or of one attribute, without their types; raises ConversionError.

    Numbers are exact, sets are sorted lists, binary is bytes. No mapping is both an item and an attribute.
    """
    if not isinstance(value, dict):
        raise conversion_error("expected a mapping, got {}", value)
    try:
        return _attribute(value)
    except ValueError:
        pass
    try:
        return {name: _attribute(attribute) for name, attribute in value.items()}
    except ValueError:
        message = 'it is no item of DynamoDB, whose attributes are as `{"S": "a1"}`'
        raise ConversionError(message, "remove the step `dynamodb` if it is plain JSON") from None


def _attribute(attribute: Any) -> Any:  # noqa: PLR0911 - one for each type of attribute
    """The value of an attribute; raises ValueError."""
    if not isinstance(attribute, dict):
        raise ValueError
    ((kind, value),) = attribute.items()
    match kind, value:
        case ("S", str()) | ("BOOL", bool()):
            return value
        case "N", str():
            number = exact_number(value, Type("decimal"))
            return int(number) if number == number.to_integral_value() else number
        case "B", str():
            return binascii.a2b_base64(value, strict_mode=True)
        case "NULL", True:
            return None
        case "SS" | "NS" | "BS", list():
            return sorted(_attribute({kind[0]: element}) for element in value)
        case "L", list():
            return [_attribute(element) for element in value]
        case "M", dict():
            return {name: _attribute(element) for name, element in value.items()}
    raise ValueError(kind)
