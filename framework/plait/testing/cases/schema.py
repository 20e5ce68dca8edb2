"""The schema that judges the shape of a file of cases, and the texts in it that have a form."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from plait.language.schema import FORMS
from plait.language.spec import options_of_type
from plait.plugin import DriverPath, LookupPath
from plait.values.iso_times import parse_timestamp
from plait.values.types import Type

if TYPE_CHECKING:
    from datetime import datetime

    from plait.language.spec import Source, Spec
    from plait.values.paths import PathTemplate


class Moment:
    """An instant in UTC."""

    @staticmethod
    def parse(text: str) -> datetime:
        """Read an instant in ISO 8601; raises ConversionError, a ValueError, if it is none."""
        return parse_timestamp(text, Type("timestamp"))


class Base64:
    """Bytes that are written as base64."""

    @staticmethod
    def parse(text: str) -> bytes:
        """Read base64, ignoring white space; raises ValueError if it is none."""
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("the text is not base64") from None


FORMS |= {f"{__name__}.{form.__name__}": form for form in (Moment, Base64)}


def cases_schema(spec: Spec) -> dict[str, Any]:
    """The schema of the cases beside a spec: its sources and its parameters are the keys of these blocks."""
    blocks = yaml.safe_load(Path(__file__).with_name("cases.schema.yaml").read_bytes())
    given = {spec.driver.name: blocks["driver"], **{source.name: blocks["lookup"] for source in spec.lookups}}
    parameters = {name: {"type": "string"} for name in spec.parameters}
    for block in (blocks["cases"], blocks["case"]):
        keys = block["properties"]
        keys["given"] |= {"properties": given, "additionalProperties": False}
        keys["parameters"] |= {"properties": parameters, "additionalProperties": False}
    schema: dict[str, Any] = blocks["cases"]
    return schema


def path_of(source: Source) -> PathTemplate | None:
    """The first option of a source that is the path of objects."""
    kind = LookupPath if source.join else DriverPath
    return next(iter(options_of_type(source.options, kind)), None)


def reads_files(source: Source) -> bool:
    """Whether a case gives a source files, which its connector reads itself."""
    return source.role.offline and path_of(source) is not None
