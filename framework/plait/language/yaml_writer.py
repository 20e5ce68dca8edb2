"""Write values as YAML 1.2 that is read back as the same values."""

from __future__ import annotations

import base64
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import yaml

from plait.language.text import scalar

LINE_WIDTH = 100
TAGS = {bool: "bool", int: "int", float: "float", type(None): "null"}


def flow_yaml(value: Any) -> str:
    """A value on one line."""
    return _written(value, default_flow_style=True, width=math.inf)


def block_yaml(value: Any, indent: int) -> str:
    """A value over several lines, each mapping and list of scalars on one."""
    return " " * indent + _written(value, width=LINE_WIDTH).replace("\n", "\n" + " " * indent)


def _written(value: Any, **layout: Any) -> str:
    options = {"default_flow_style": None, "sort_keys": False, "allow_unicode": True, **layout}
    return str(yaml.dump(value, Dumper=_Writer, **options)).removesuffix("\n").removesuffix("\n...")


class _Writer(yaml.SafeDumper):
    """Puts in quotes what YAML 1.2 would not read as a text, and writes a value anew wherever it comes again."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        resolver: Any = super()
        is_plain = kind is yaml.ScalarNode and implicit[0]
        return _tag(value) if is_plain else resolver.resolve(kind, value, implicit)


def _tag(text: str) -> str:
    return f"tag:yaml.org,2002:{TAGS.get(type(scalar(text)), 'str')}"


def _decimal(writer: _Writer, value: Decimal) -> yaml.Node:
    text = format(value, "f")
    return writer.represent_scalar(_tag(text), text)


def _text(writer: _Writer, value: str) -> yaml.Node:
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=None if value.isprintable() else '"')


def _time(writer: _Writer, value: datetime) -> yaml.Node:
    return _text(writer, value.replace(tzinfo=None).isoformat() + "Z")


_Writer.add_multi_representer(dict, _Writer.represent_dict)
_Writer.add_representer(Decimal, _decimal)
_Writer.add_representer(str, _text)
_Writer.add_representer(datetime, _time)
_Writer.add_representer(date, lambda writer, value: _text(writer, value.isoformat()))
_Writer.add_representer(bytes, lambda writer, value: _text(writer, base64.b64encode(value).decode()))
