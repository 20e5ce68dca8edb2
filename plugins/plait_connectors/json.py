"""One JSON object per file, on S3 or in a folder."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from plait.api import (
    BadRecord,
    Connector,
    Context,
    DriverPath,
    Found,
    Item,
    Missing,
    Options,
    PlaitError,
    Record,
    Unread,
    Window,
    hookimpl,
)
from plait_connectors._aws import reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plait.api import Statement, Use

BOM = b"\xef\xbb\xbf"
DEEPEST = 100
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Json(Options, frozen=True, kw_only=True):
    """Options of `json`."""

    path: Annotated[
        DriverPath, msgspec.Meta(description="where the objects are, such as `s3://shop-raw/orders/*.json`")
    ]
    max_bytes: Annotated[int, msgspec.Meta(ge=1, description="a larger object is a bad record")] = (
        64 * 1024 * 1024
    )


def parse(data: bytes) -> dict[str, Any]:
    """The one object that the bytes are; raises BadRecord, whose text has nothing of the data."""
    start = len(BOM) if data.startswith(BOM) else 0
    try:
        text = data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecord(f"not UTF-8 at byte {start + error.start}") from None
    value = _load(text, start)
    if not isinstance(value, dict):
        raise BadRecord("not a JSON object at the top level")
    _check_depth(value, text)
    if SURROGATE.search(text):
        _check_text(value)
    return value


def _load(text: str, start: int) -> Any:
    import json

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_mapping)
    except json.JSONDecodeError as error:
        where = start + len(text[: error.pos].encode("utf-8", "surrogatepass"))
        raise BadRecord(f"not JSON at byte {where}: {error.msg.lower()}") from None
    except RecursionError:
        raise BadRecord(f"nested deeper than {DEEPEST} levels") from None
    except (ValueError, ArithmeticError):
        raise BadRecord("a number has too many digits") from None


def _no_number(_word: str) -> None:
    raise BadRecord("NaN and Infinity are no JSON numbers")


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadRecord("a key stands twice in one object")
    return found


def _check_depth(value: Any, text: str) -> None:
    if text.count("{") + text.count("[") <= DEEPEST:
        return
    level = [value]
    for _ in range(DEEPEST):
        inner = [v for parent in level for v in (parent.values() if isinstance(parent, dict) else parent)]
        level = [v for v in inner if isinstance(v, dict | list)]
        if not level:
            return
    raise BadRecord(f"nested deeper than {DEEPEST} levels")


def _check_text(value: Any) -> None:
    import json

    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise BadRecord("half of a surrogate pair stands alone in a text") from None


def _add(fields: dict[str, Any], captures: dict[str, str]) -> dict[str, Any]:
    for name, text in captures.items():
        if name in fields and str(fields[name]) != text:
            raise BadRecord(f"the field `{name}` is another than in the object's path")
    return {**captures, **fields}


def _normal(path: str) -> str:
    return path if path.startswith("s3://") else posixpath.normpath(path)


@dataclass(frozen=True)
class JsonDriver:
    """Reads each object as one record."""

    options: Json
    context: Context

    @property
    def path(self) -> DriverPath:
        """The path in the spelling that storage uses for URIs."""
        return DriverPath.parse(_normal(self.options.path.text))

    def accepts(self, uri: str) -> bool:
        """Whether the URI fits the path."""
        return self.path.match(_normal(uri)) is not None

    def list(self, window: Window) -> Iterator[Item]:
        """The objects that fit the path, modified within the window."""
        path = self.path
        for item in self.context.objects.list(path.literal):
            if path.match(item.uri) is not None and _within(item, window):
                yield item

    def read(self, items: Sequence[Item]) -> Iterable[Record | Unread]:
        """One record per object."""
        path = self.path
        answers = self.context.objects.get([item.uri for item in items], self.options.max_bytes)
        for item, answer in zip(items, answers, strict=True):
            yield self._record(item, answer, path.match(_normal(item.uri)) or {})

    def _record(
        self, item: Item, answer: Found | Missing | PlaitError, captures: dict[str, str]
    ) -> Record | Unread:
        if not isinstance(answer, Found):
            return Unread(item, answer)
        item = replace(answer.item, uri=item.uri)
        if (item.size or 0) > self.options.max_bytes:
            return self._too_large(item, captures)
        try:
            return Record(fields=_add(parse(answer.data), captures), item=item, raw=answer.data)
        except BadRecord as fault:
            return Record(fields=captures, item=item, raw=answer.data, fault=fault)

    def _too_large(self, item: Item, captures: dict[str, str]) -> Record:
        fault = BadRecord(
            f"{item.size} bytes are more than the limit of {self.options.max_bytes}", help="raise `max_bytes`"
        )
        return Record(fields=captures, item=item, fault=fault)


def _within(item: Item, window: Window) -> bool:
    at = item.modified
    if at is None:
        return True
    return (window.since is None or at >= window.since) and (window.until is None or at < window.until)


def _permissions(options: Any, _use: Use) -> Iterable[Statement]:
    return reads(options.path)


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `json`."""
    told: Any = {"summary": "One JSON object per file.", "offline": True, "permissions": _permissions}
    return [Connector(name="json", options=Json, driver=JsonDriver, **told)]
