"""Paths of looked-up objects, such as `s3://b/items/{id}.csv`, which values of a row fill."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from plait.values.paths import PathTemplate, on_s3, path_pattern
from plait.values.patterns import HOLE_PATTERN, Hole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

UNSAFE = re.compile(r"\\|\.\.|[\x00-\x1f\x7f]|(?:\A|/)\.(?:/|\Z)")


class UnsafePathValue(ValueError):
    """A value that must not fill a path, because the path would lead elsewhere."""


class LookupPath(PathTemplate, frozen=True):
    """The path of looked-up objects, filled from columns of the row."""

    takes_stars = False
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": path_pattern(HOLE_PATTERN),
        "patternErrorMessage": "a path begins with literal text and has no `*`, as in `s3://bucket/items/{id}.csv`",
        "examples": ["s3://bucket/items/{id}.csv"],
    }
    hole_help = "name one file, by `{column}` of the row"

    @staticmethod
    def texts(values: Mapping[str, object]) -> dict[str, str]:
        """The texts by which values of a row stand in the path, by name; raises UnsafePathValue for bytes."""
        return {name: path_text(value) for name, value in values.items()}

    def fill(self, values: Mapping[str, object]) -> str | None:
        """The path for one row, or None if a value is null or empty.

        Raises UnsafePathValue for bytes, and for a value with a backslash, `..` or a control character in it, or with a
        slash where the path goes on to another segment, or is local.
        """
        filled = ""
        for number, part in enumerate(self.parts):
            if isinstance(part, str):
                filled += part
                continue
            value = values[part.name]
            if value is None or value == "":
                return None
            text = path_text(value)
            if "/" in text and not self._takes_slashes(number):
                raise UnsafePathValue(f"the value of `{part.name}` has `/` in it")
            if UNSAFE.search(text):
                raise UnsafePathValue(
                    f"the value of `{part.name}` has `.`, `..` or a control character in it"
                )
            filled += text
        return filled

    def fill_all(self, rows: Sequence[Mapping[str, object]]) -> list[str | UnsafePathValue | None]:
        """What `fill` gives or raises for each row; the usual texts of a path with one hole are looked at together."""
        if [isinstance(part, Hole) for part in self.parts] in ([False, True], [False, True, False]):
            (name,) = self.columns
            texts: list[Any] = [row[name] for row in rows]
            if {*map(type, texts)} == {str} and all(texts) and _are_names(texts):
                after = "".join(map(str, self.parts[2:]))
                return [f"{self.parts[0]}{text}{after}" for text in texts]
        return [self._filled(row) for row in rows]

    def _filled(self, row: Mapping[str, object]) -> str | UnsafePathValue | None:
        try:
            return self.fill(row)
        except UnsafePathValue as error:
            return error

    def texts_of(self, rows: Sequence[Mapping[str, object]]) -> dict[str, list[str]]:
        """The texts by which values of rows stand in the path, by name; raises UnsafePathValue for bytes."""
        return {name: [path_text(row[name]) for row in rows] for name in self.columns}

    def _takes_slashes(self, number: int) -> bool:
        """Whether a value with slashes still names an object that the policy's ARN means: at the end of a key of S3."""
        rest = "".join("/" if isinstance(part, Hole) else part for part in self.parts[number + 1 :])
        return on_s3(self.text) and "/" not in rest


def _are_names(texts: Iterable[str]) -> bool:
    """Whether all are of letters, digits, `-` and `_`, which nothing in a path takes for anything else."""
    return "".join(texts).replace("-", "").replace("_", "").isalnum()


def path_text(value: object) -> str:
    """The text by which a value of a row stands in paths and folder names; raises UnsafePathValue for bytes.

    >>> path_text(True), path_text(Decimal("0E-2"))
    ('true', '0.00')
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        raise UnsafePathValue("binary cannot fill a path")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
