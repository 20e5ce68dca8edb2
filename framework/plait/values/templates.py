"""Texts with holes: object paths such as `s3://b/items/{id}.csv`, and free-text patterns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from plait.values.safe_regex import SPACES, Expression

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = re.compile(r"\{\{|\}\}|\$\$\{|\$\{[^}]*\}|\{([^{}]*)\}|\*\*|\*|[{}]")
COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
UNSAFE = re.compile(r"/|\\|\.\.|[\x00-\x1f\x7f]")


SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")
BUCKET = re.compile(r"s3://((?:[A-Za-z0-9._-]|\$\{[^}/]*\})*)(?=/|\Z)")


class UnsafePathValue(ValueError):
    """A value that must not fill a path, because it would lead elsewhere."""


class SpecValueError(ValueError):
    """A text of the spec that is not what stands there; `part` is the piece of it that is wrong."""

    def __init__(
        self, message: str, *, code: str = "wrong-value", help: str | None = None, part: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.help, self.part = code, help, part


@dataclass(frozen=True, slots=True)
class Hole:
    """A `{name}`, `*` or `**` of a template."""

    name: str


STAR, STARS = Hole("*"), Hole("**")
Part = str | Hole


def split(text: str) -> tuple[Part, ...]:
    """Cut a template into literal text and holes; `{{`, `}}` and `$${` stand for themselves."""
    parts: list[Part] = []
    literal, end = "", 0
    for token in TOKEN.finditer(text):
        literal += text[end : token.start()]
        end = token.end()
        hole = _hole(token)
        if isinstance(hole, str):
            literal += hole
            continue
        parts += [literal, hole] if literal else [hole]
        literal = ""
    literal += text[end:]
    return (*parts, literal) if literal else tuple(parts)


def _hole(token: re.Match[str]) -> Part:
    word = token[0]
    if word in ("{{", "}}"):
        return word[0]
    if word == "$${":
        return "${"
    if word.startswith("${"):
        return word
    if word in ("*", "**"):
        return Hole(word)
    if token[1] is None:
        help = f"write `{word * 2}` for the character itself"
        raise SpecValueError(f"a lone `{word}`", code="wrong-braces", help=help, part=word)
    if not COLUMN.match(token[1]):
        message = f"`{word[:40]}` is no name in braces such as `{{transaction_id}}`"
        help = "write letters, digits and `_` between the braces, or `{{` and `}}` for the characters"
        raise SpecValueError(message, code="wrong-braces", help=help, part=word)
    return Hole(token[1])


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A parsed `path` option: `s3://bucket/key` or a local path, with holes in it."""

    text: str
    parts: tuple[Part, ...]
    stars: ClassVar[bool] = True
    holes: ClassVar[bool] = True
    instead: ClassVar[str] = ""
    noun: ClassVar[str] = "a path"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a path; raises ValueError with a sentence where it is not one."""
        if not text.strip():
            raise SpecValueError(
                "the path is empty", code="wrong-path", help="write `s3://bucket/key` or a local path"
            )
        parts = split(text)
        cls._check_beginning(text, parts)
        for part in parts:
            cls._check_hole(part)
        return cls(text, parts)

    @staticmethod
    def _check_beginning(text: str, parts: tuple[Part, ...]) -> None:
        first = parts[0]
        if not isinstance(first, str) or (re.fullmatch(r"s3://[^/]*", first) and len(parts) > 1):
            folder = text.removeprefix("s3://")[:40].lstrip("/")
            message = "a path needs a literal beginning before its first `{` or `*`"
            help = f"begin with a bucket or folder, as in `s3://bucket/{folder}`"
            raise SpecValueError(message, code="no-literal-beginning", help=help)
        scheme = SCHEME.match(first)
        if scheme and (scheme[0] != "s3://" or first == "s3://" or first[5:6] == "/"):
            name = scheme[1].lower()
            help = (
                "write `s3://bucket/key`"
                if name.startswith("s3")
                else "copy the files there, or write their folder"
            )
            message = f"`{scheme[0][:40]}` does not begin `s3://bucket/key` or a local path"
            raise SpecValueError(message, code="wrong-path", help=help, part=scheme[0])
        if scheme and not BUCKET.match(first):
            bucket = first.removeprefix("s3://").partition("/")[0]
            help = "write letters, digits, `.`, `-` and `_`"
            raise SpecValueError(
                f"`{bucket[:40]}` is no name of a bucket", code="wrong-path", help=help, part=bucket
            )

    @classmethod
    def _check_hole(cls, part: Part) -> None:
        if isinstance(part, str):
            return
        if part in (STAR, STARS) and not cls.stars:
            stars = "`*` is for the path of the driving source only"
            raise SpecValueError(stars, code="wrong-path", help=cls.instead, part=part.name)
        if part not in (STAR, STARS) and not cls.holes:
            message = "this path is a folder and takes no `{column}`"
            raise SpecValueError(message, code="wrong-path", help=cls.instead, part=f"{{{part.name}}}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in braces, each once, in order."""
        names = [p.name for p in self.parts if isinstance(p, Hole) and p not in (STAR, STARS)]
        return tuple(dict.fromkeys(names))

    @property
    def literal(self) -> str:
        """The text before the first hole."""
        return self.parts[0] if isinstance(self.parts[0], str) else ""

    @property
    def bucket(self) -> str:
        """The bucket of a path on S3, empty for a local one."""
        return self.literal.removeprefix("s3://").partition("/")[0] if self.text.startswith("s3://") else ""

    @property
    def bucket_arn(self) -> str:
        """The ARN of the bucket, empty for a local path."""
        return f"arn:${{AWS::Partition}}:s3:::{self.bucket}" if self.bucket else ""

    @property
    def object_arn(self) -> str:
        """The ARN of all objects that may fit: `*` for each hole; empty for a local path."""
        key = "".join(_escaped(p) if isinstance(p, str) else "*" for p in self.parts)
        return f"{self.bucket_arn}/{key.removeprefix(f's3://{self.bucket}/')}" if self.bucket else ""


def _escaped(text: str) -> str:
    """Text of an ARN in which IAM reads no wildcard and no variable (IAM's user guide, policy variables)."""
    return re.sub(r"[*?$]", lambda found: f"${{{found[0]}}}", text)


class DriverPath(PathTemplate):
    """The path of driving objects: `*` within a segment, `**` any depth, `{name}` a segment."""

    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": r"^(?:\{\{|[^{*])",
        "patternErrorMessage": "a path begins with literal text, as in `s3://bucket/orders/*.json`",
        "examples": ["s3://bucket/orders/*.json", "sample/orders/{day}/*.json"],
    }

    def match(self, uri: str) -> dict[str, str] | None:
        """The named segments of a URI that fits, or None."""
        found = self._regex.fullmatch(uri)
        return found.groupdict() if found else None

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern(), re.DOTALL)

    def pattern(self) -> str:
        """The regular expression (linear: no nested repetition) of the URIs that fit."""
        seen: set[str] = set()
        text = ""
        for part in self.parts:
            if isinstance(part, str):
                text += re.escape(part)
            elif part in (STAR, STARS):
                text += "[^/]*" if part == STAR else ".*"
            elif part.name in seen:
                text += f"(?P={part.name})"
            else:
                seen.add(part.name)
                text += f"(?P<{part.name}>[^/]+)"
        return text


class LookupPath(PathTemplate):
    """The path of looked-up objects, filled from columns of the row."""

    stars = False
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": r"^(?:\{\{|[^{*])[^*]*$",
        "patternErrorMessage": "a path begins with literal text and has no `*`, as in `s3://bucket/items/{id}.csv`",
        "examples": ["s3://bucket/items/{id}.csv"],
    }
    instead = "name one file, by `{column}` of the row"

    @staticmethod
    def texts(values: Mapping[str, object]) -> dict[str, str]:
        """Values of a row as the path has them, by name; raises UnsafePathValue for one that has no text."""
        return {name: written(value) for name, value in values.items()}

    def fill(self, values: Mapping[str, object]) -> str | None:
        """The path for one row; None where a value is null or empty; raises UnsafePathValue for a bad one."""
        filled = ""
        for part in self.parts:
            if isinstance(part, str):
                filled += part
                continue
            value = values[part.name]
            if value is None or value == "":
                return None
            text = written(value)
            if UNSAFE.search(text):
                raise UnsafePathValue(
                    f"the value of `{part.name}` has `/`, `..` or a control character in it"
                )
            filled += text
        return filled


def written(value: object) -> str:
    """A value of a row as paths and folders have it; raises UnsafePathValue for bytes.

    >>> written(True), written(Decimal("0E-2"))
    ('true', '0.00')
    """
    if isinstance(value, bytes):
        raise UnsafePathValue("binary cannot fill a path")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


class FolderPath(PathTemplate):
    """A path that files are written under."""

    stars = False
    holes = False
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": r"^(?:[^{}*]|\{\{|\}\})+$",
        "patternErrorMessage": "a folder such as `s3://bucket/orders/`, without `{column}` and `*`",
        "examples": ["s3://bucket/orders/", "out/orders/"],
    }
    instead = "write the folder; `partition_by` makes folders below it"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Free text to fields: `{name}` is one run of text without spaces, `*` is any text."""

    text: str
    expression: Expression
    noun: ClassVar[str] = "a pattern"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": r"\{[A-Za-z_][A-Za-z0-9_]*\}",
        "patternErrorMessage": "a pattern has at least one `{name}`, as in `order {id} scored {score}`",
        "examples": ["order {id} scored {score}"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern; raises ValueError with a sentence where it is not one."""
        names: list[str] = []
        regex, stars = "(?s)", 0
        for part in split(text):
            if isinstance(part, str):
                regex += re.escape(part)
            elif part in (STAR, STARS):
                regex += ".*?"
                stars += 1
            elif part.name in names:
                message = f"`{{{part.name}}}` stands twice in the pattern"
                help = "give the second another name, or write `*`"
                raise SpecValueError(message, code="wrong-pattern", help=help)
            else:
                names.append(part.name)
                regex += f"(?P<{part.name}>[^{SPACES}]+)"
        if not names:
            message = "the pattern has no `{name}`, so it gives no field"
            help = "name what is wanted, as in `order {id} scored {score}`"
            raise SpecValueError(message, code="wrong-pattern", help=help)
        return cls(text, Expression(regex, tuple(names), stars + len(names)))

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it gives."""
        return self.expression.names

    def match(self, line: str) -> dict[str, str] | None:
        """The fields of a line that fits as a whole, or None."""
        return self.expression.match(line)
