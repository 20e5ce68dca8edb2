"""One JSON object per file, on S3 or in a folder."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import structs

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    Driver,
    DriverPath,
    Item,
    Missing,
    NotJson,
    Options,
    PlaitError,
    ReadFailure,
    Record,
    StoredObject,
    TooManyValues,
    Window,
    hookimpl,
    normal_path,
    parse_json,
    room_for_object,
)
from plait_connectors._aws import bucket_facts, read_permissions
from plait_connectors._json_body import absent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from plait.plugin import Statement


TOO_LARGE = "object-too-large"
FORM_HELPS = {
    "lines": "`records: lines` reads each line as a record",
    "documents": "write a line break between them, and `records: lines` reads each as a record",
}
LIST_HELP = "write a line for each of its elements, and `records: lines` reads each as a record"
MAPPING_HELP = "write a mapping of fields"
TOO_LARGE_HELP = "give the function more memory by `deploy.memory`, or make several objects of it"


class JsonOptions(Options, frozen=True, kw_only=True):
    """Options of the connector `json`."""

    path: Annotated[
        DriverPath, msgspec.Meta(description="where the objects are, such as `s3://shop-raw/orders/*.json`")
    ]
    max_bytes: (
        Annotated[
            int,
            msgspec.Meta(ge=1, description="a larger object is a bad record; 1/16 of the memory if left out"),
        ]
        | None
    ) = None


def parse(data: bytes, fields: Collection[str] | None = None) -> dict[str, Any]:
    """Read bytes as one JSON object, of a large one these fields; raises BadRecord without a value of the data."""
    try:
        value = parse_json(data, fields)
    except TooManyValues as error:
        raise BadRecord(str(error), code=TOO_LARGE, help=TOO_LARGE_HELP) from None
    except NotJson as error:
        raise BadRecord(str(error), help=FORM_HELPS.get(error.form, error.help)) from None
    if not isinstance(value, dict):
        form, help = ("a list", LIST_HELP) if isinstance(value, list) else ("a single value", MAPPING_HELP)
        raise BadRecord(f"not a JSON object at the top level, but {form}", help=help)
    return value


def _with_captures(fields: dict[str, Any], captures: dict[str, str | None]) -> dict[str, Any]:
    """The fields with those that the path captures; raises BadRecord if the two differ."""
    if not captures:
        return fields
    for name, text in captures.items():
        if name in fields and str(fields[name]) != text:
            help = "leave one of the two out, or give it another name"
            raise BadRecord(f"the field `{name}` is another than in the object's path", help=help)
    return {**captures, **fields}


class JsonDriver(Driver[JsonOptions]):
    """Reads each object as one record."""

    offline = True
    gives_binary = False

    def permissions(self) -> Iterable[Statement]:
        """Return the rights to read the objects."""
        return read_permissions(self.options.path)

    def calls(self) -> list[Calls]:
        """Return one call for each object, and the pages of a listing."""
        reading = Calls(operation="s3:GetObject", quantity="objects")
        listing = Calls(operation="s3:ListObjectsV2", quantity="listings")
        return [reading, listing] if self.options.path.bucket else []

    def facts(self) -> Iterable[str]:
        """Ask for the region and the owner of the bucket."""
        return bucket_facts(self.options.path, self.context)

    @cached_property
    def path(self) -> DriverPath:
        """The path in the spelling that storage uses for URIs."""
        return DriverPath.parse(normal_path(self.options.path.text))

    def accepts(self, uri: str) -> bool:
        """Return whether the URI matches the path."""
        return self.path.match(normal_path(uri)) is not None

    def list(self, window: Window) -> Iterator[Item]:
        """Yield the objects that match the path and were modified within the window."""
        path = self.path
        for item in self.context.objects.list(path.literal):
            if path.match(item.uri) is not None and window.contains(item.modified):
                yield item

    def read(self, items: Sequence[Item]) -> Iterable[Record | ReadFailure]:
        """Yield one record for each object."""
        path, named = self.path, bool(self.path.columns)
        answers = self.context.objects.get([item.uri for item in items], self._max_bytes)
        for item, answer in zip(items, answers, strict=True):
            yield self._record(item, answer, (named and path.match(normal_path(item.uri))) or {})

    def _record(
        self, item: Item, answer: StoredObject | Missing | PlaitError, captures: dict[str, str | None]
    ) -> Record | ReadFailure:
        if not isinstance(answer, StoredObject):
            return ReadFailure(item, answer)
        item = answer.item if answer.item.uri == item.uri else structs.replace(answer.item, uri=item.uri)
        if (item.size or 0) > self._max_bytes:
            message = f"{item.size} bytes are more than the limit of {self._max_bytes}"
            help = "raise `max_bytes`" if self.options.max_bytes else TOO_LARGE_HELP
            return Record(fields=captures, item=item, fault=BadRecord(message, code=TOO_LARGE, help=help))
        try:
            fields = parse(answer.data, self._wanted)
            if self._body and self._body.isdisjoint(fields):
                raise absent(fields, answer.data, self.context.body_fields)
            fields = _with_captures(fields, captures)
        except BadRecord as fault:
            raw = b"" if fault.code == TOO_LARGE else answer.data
            return Record(fields=captures, item=item, raw=raw, fault=fault)
        return Record(fields=fields, item=item, raw=answer.data)

    @cached_property
    def _max_bytes(self) -> int:
        return self.options.max_bytes or room_for_object()

    @cached_property
    def _body(self) -> frozenset[str]:
        return frozenset(self.context.body_fields)

    @cached_property
    def _wanted(self) -> frozenset[str] | None:
        fields = self.context.fields
        return None if fields is None else frozenset((*fields, *self.path.columns))


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `json`."""
    return [Connector("json", "One JSON object per file.", JsonOptions, driver=JsonDriver)]
