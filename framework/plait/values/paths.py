"""Paths of objects: on S3 or in local folders, with holes such as `s3://b/items/{id}.csv`, and their one spelling."""

from __future__ import annotations

import posixpath
import re
from typing import Any, ClassVar, Self

from msgspec import Struct

from plait.problems.errors import SpecValueError
from plait.values.patterns import UNNAMED, Hole, Part, split

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")
BUCKET = re.compile(r"s3://((?:[a-z0-9.-]|\$\{[^}/]*\})*)(?=/|\Z)")


def path_pattern(hole: str = "", *, with_folders: bool = False) -> str:
    """The expression, for editors, of paths with a literal beginning; a `hole` may stand behind each of its characters.

    `with_folders` allows `**/` at the beginning of a segment, and `**` as the last one.
    """
    braces = r"\{\{|\}\}"
    character, not_colon = rf"(?:[^{{}}*/]|{braces})", rf"(?:[^{{}}*/:]|{braces})"
    hole = hole and f"(?:{hole})"
    maybe = hole and f"{hole}?"
    slash = r"/(?:\*\*/)*" if with_folders else "/"
    last = rf"(?:{slash}\*\*)?" if with_folders else ""
    below = f"{slash}{maybe}(?:(?:{character}|{slash}){maybe})*{last}"
    below = rf"(?:{slash}\*\*|{below})" if with_folders else below
    # A first segment that ends in a colon is a scheme, or the letter of a drive.
    end = f"(?:{not_colon}{maybe}|{character}{hole})" if hole else not_colon
    first = f"(?:{character}{maybe})*{end}"
    local = f"(?:{character}{maybe})+|(?:{first})?{below}|[A-Za-z]:{below}"
    return rf"^(?:s3://[a-z0-9.-]+(?:{below})?|{local})$"


def on_s3(path: str) -> bool:
    """Whether a path or URI is one of S3, not of a local folder."""
    return path.startswith("s3://")


def normal_path(path: str) -> str:
    """A path in the one spelling that plait uses: of a local one without `.`, `..`, `//` and a slash at its end.

    >>> normal_path("./sample//orders/"), normal_path("s3://shop/a//b/")
    ('sample/orders', 's3://shop/a//b/')
    """
    return path if on_s3(path) else posixpath.normpath(path)


def normal_uri(uri: str) -> str:
    """The URI of an object or a prefix in the one spelling that plait uses; a slash at its end stays.

    >>> normal_uri("./sample//orders/")
    'sample/orders/'
    """
    path = normal_path(uri)
    return path + "/" if uri.endswith("/") and path != "/" and not on_s3(uri) else path


class PathTemplate(Struct, frozen=True, dict=True):
    """A `path` option: `s3://bucket/key` or a local path, with the holes that its kind of path may have."""

    text: str
    parts: tuple[Part, ...]
    takes_stars: ClassVar[bool] = True
    takes_columns: ClassVar[bool] = True
    hole_help: ClassVar[str] = ""
    noun: ClassVar[str] = "a path"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a path; raises SpecValueError if it is none, or has a hole that this kind of path does not take."""
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
            if isinstance(first, Hole) and first not in UNNAMED:
                help += f", or write `${{{first.name[:40]}}}` for a parameter"
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
            help = "write small letters, digits, `.` and `-`"
            raise SpecValueError(
                f"`{bucket[:40]}` is no name of a bucket", code="wrong-path", help=help, part=bucket
            )

    @classmethod
    def _check_hole(cls, part: Part) -> None:
        if isinstance(part, str):
            return
        if part.takes_spaces:
            message, help = f"`{part}` is for the pattern of a text", f"write `{{{part.name}}}`"
            raise SpecValueError(message, code="wrong-path", help=help, part=str(part))
        if part in UNNAMED and not cls.takes_stars:
            message = "`*` is for the path of the driving source only"
            raise SpecValueError(message, code="wrong-path", help=cls.hole_help, part=part.name)
        if part not in UNNAMED and not cls.takes_columns:
            message = "this path is a folder and takes no `{column}`"
            raise SpecValueError(message, code="wrong-path", help=cls.hole_help, part=str(part))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in braces, each once, in order."""
        names = [part.name for part in self.parts if isinstance(part, Hole) and part not in UNNAMED]
        return tuple(dict.fromkeys(names))

    @property
    def literal(self) -> str:
        """The text before the first hole."""
        return self.parts[0] if isinstance(self.parts[0], str) else ""

    @property
    def bucket(self) -> str:
        """The bucket of a path on S3, empty for a local one."""
        return self.literal.removeprefix("s3://").partition("/")[0] if on_s3(self.text) else ""

    @property
    def bucket_arn(self) -> str:
        """The ARN of the bucket, empty for a local path."""
        return f"arn:${{AWS::Partition}}:s3:::{self.bucket}" if self.bucket else ""

    @property
    def object_arn(self) -> str:
        """The ARN of every object that may fit the path, with `*` for each hole; empty for a local path."""
        key = re.sub(
            r"\*+", "*", "".join(_arn_text(part) if isinstance(part, str) else "*" for part in self.parts)
        )
        return f"{self.bucket_arn}/{key.removeprefix(f's3://{self.bucket}/')}" if self.bucket else ""


def _arn_text(text: str) -> str:
    """Literal text as an ARN has it, so that IAM reads no wildcard or variable in it (IAM's user guide, policy variables)."""
    return re.sub(r"[*?$]", lambda match: f"${{{match[0]}}}", text)


class FolderPath(PathTemplate, frozen=True):
    """The path of a folder that files are written to; it has no holes."""

    takes_stars = False
    takes_columns = False
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": path_pattern(),
        "patternErrorMessage": "a folder such as `s3://bucket/orders/`, without `{column}` and `*`",
        "examples": ["s3://bucket/orders/", "out/orders/"],
    }
    hole_help = "write the folder; `partition_by` makes folders below it"
