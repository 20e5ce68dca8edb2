"""The keys of a file of cases: a struct for each block, which accepts no other keys."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from msgspec import UNSET, Meta

from plait.plugin import Options
from plait.values.convert import parse_timestamp
from plait.values.types import Type

if TYPE_CHECKING:
    from datetime import datetime

ServiceFailure = Literal["throttled", "denied"]


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in UTC."""

    time: datetime

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an instant in ISO 8601; raises ConversionError, a ValueError, if it is none."""
        return cls(parse_timestamp(text, Type("timestamp")))


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that is taken as it is, in which `$${` is no escape."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take any text."""
        return cls(text)


@dataclass(frozen=True, slots=True)
class Base64:
    """Bytes that are written as base64."""

    data: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read base64, ignoring white space; raises ValueError if it is none."""
        try:
            return cls(base64.b64decode("".join(text.split()), validate=True))
        except (binascii.Error, ValueError):
            raise ValueError("the text is not base64") from None


Now = Annotated[Moment, Meta(description="the time at which the cases run")] | None
Parameters = Annotated[dict[str, str], Meta(description="parameters of the spec")] | None
GivenByName = Annotated[dict[str, Any], Meta(description="source of the spec to what it holds")] | None


class CasesBlock(Options, frozen=True, kw_only=True):
    """A file of cases; `given`, `now` and `parameters` hold for each case that has none of its own."""

    cases: Annotated[dict[str, Any], Meta(description="name of a case to what is given and expected")]
    given: GivenByName = None
    now: Now = None
    parameters: Parameters = None


class GivenFileBlock(CasesBlock, frozen=True, kw_only=True):
    """A file of cases of which only `given` is read."""

    given: Annotated[dict[str, Any], Meta(description="source of the spec to what it holds")]
    cases: Any = None


class CaseBlock(Options, frozen=True, kw_only=True):
    """One case."""

    expect: Annotated[Any, Meta(description="the rows that must come out, or `{rows: …, quarantine: …}`")]
    description: Annotated[str, Meta(description="what the case shows")] = ""
    given: GivenByName = None
    now: Now = None
    parameters: Parameters = None


class ContentBlock(Options, frozen=True, kw_only=True):
    """The bytes of a file that a look-up reads."""

    json: Annotated[Any, Meta(description="what the file holds, written as JSON")] = UNSET
    text: Annotated[Verbatim, Meta(description="what the file holds, as it is")] | None = None
    base64: Annotated[Base64, Meta(description="the bytes of the file, as base64")] | None = None
    fails: Annotated[ServiceFailure, Meta(description="why it cannot be read")] | None = None


class ObjectBlock(ContentBlock, frozen=True, kw_only=True):
    """One driving object."""

    object: (
        Annotated[str, Meta(min_length=1, description="its address, or its name in the folder")] | None
    ) = None
    fields: Annotated[Any, Meta(description="the record itself, where the source reads no files")] = UNSET
    modified: Annotated[Moment, Meta(description="when it was written; left out, `now`")] | None = None
    etag: Annotated[str, Meta(description="its ETag")] | None = None
    gone: Annotated[bool, Meta(description="it was deleted before it was read")] = False


class LookupBlock(Options, frozen=True, kw_only=True):
    """What a look-up holds."""

    rows: Annotated[list[Any], Meta(description="its rows, each a mapping of fields")] | None = None
    files: Annotated[dict[str, Any], Meta(description="name of a file to its text")] | None = None
    fails: Annotated[ServiceFailure, Meta(description="why it does not answer")] | None = None


Count = Annotated[int, Meta(ge=0, description="how many")]
Findings = Annotated[list[Any], Meta(description="codes, or mappings of `code`, `message`, `object`")] | None


class ExpectBlock(Options, frozen=True, kw_only=True):
    """What must come of a case; what is not named must not happen."""

    rows: Annotated[list[Any], Meta(description="the rows that come out, in any order")] | None = None
    quarantine: Findings = None
    retry: Findings = None
    failed: Findings = None
    dropped: Count = 0
    skipped: Count = 0
    gone: Count = 0


class FindingBlock(Options, frozen=True, kw_only=True):
    """A record or object that became no row, and why; what is left out is not compared."""

    code: Annotated[str, Meta(description="code of the problem")] | None = None
    message: Annotated[Verbatim, Meta(description="a part of its message")] | None = None
    object: Annotated[str, Meta(description="the driving object, or the end of its address")] | None = None
