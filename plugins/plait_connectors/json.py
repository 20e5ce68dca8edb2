"""JSON objects in files, on S3 or in a folder: one per file, one a line, or the elements of a list."""

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
    NotJson,
    Options,
    Place,
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
from plait_connectors._json_body import absent, no_list
from plait_connectors._json_records import blocks, lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from plait.plugin import Context, Statement


TOO_LARGE = "object-too-large"
FORM_HELPS = {
    "lines": "`records: lines` reads each line as a record",
    "documents": "write a line break between them, and `records: lines` reads each as a record",
}
LIST_HELP = "`records: list` reads each of its elements as a record"
MAPPING_HELP = "write a mapping of fields"
TOO_LARGE_HELP = "give the function more memory by `deploy.memory`, or make several objects of it"
WORDS = {"document": "", "lines": "line"}
ENCODER = msgspec.json.Encoder(decimal_format="number")


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
    records: Annotated[
        Place,
        msgspec.Meta(
            description="what a record is: the `document`, each of its `lines`, each element of the `list` that "
            "it is, or of the list at a place in it",
            examples=["document", "lines", "list", "Records"],
        ),
    ] = Place("document", ("document",))


Captures = dict[str, str | None]


def parse(data: bytes, fields: Collection[str] | None = None) -> dict[str, Any]:
    """Read bytes as one JSON object, of a large one these fields; raises BadRecord without a value of the data."""
    value = _value(data, fields)
    if not isinstance(value, dict):
        form, help = ("a list", LIST_HELP) if isinstance(value, list) else ("a single value", MAPPING_HELP)
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            form, help = "a text with JSON in it", "it was encoded twice: write it as it is"
        raise BadRecord(f"not a JSON object at the top level, but {form}", help=help)
    return value


def _value(data: bytes, fields: Collection[str] | None) -> Any:
    try:
        return parse_json(data, fields)
    except TooManyValues as error:
        raise BadRecord(str(error), code=TOO_LARGE, help=TOO_LARGE_HELP) from None
    except NotJson as error:
        raise BadRecord(str(error), help=FORM_HELPS.get(error.form, error.help)) from None


def _with_captures(fields: dict[str, Any], captures: Captures) -> dict[str, Any]:
    """The fields with those that the path captures; raises BadRecord if the two differ."""
    if not captures:
        return fields
    for name, text in captures.items():
        if name in fields and str(fields[name]) != text:
            help = "leave one of the two out, or give it another name"
            raise BadRecord(f"the field `{name}` is another than in the object's path", help=help)
    return {**captures, **fields}


class JsonDriver(Driver[JsonOptions]):
    """Reads each object as one record, or as many; what is compressed by gzip or zstd is decompressed."""

    offline = True
    gives_binary = False

    def __init__(self, options: JsonOptions, context: Context | None = None) -> None:
        super().__init__(options, context)
        self.position_word = WORDS.get(options.records.text, "record")

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
        """Yield the records of each object."""
        path, named = self.path, bool(self.path.columns)
        answers = self.context.objects.get([item.uri for item in items], self._max_bytes)
        for item, answer in zip(items, answers, strict=True):
            captures = (named and path.match(normal_path(item.uri))) or {}
            if isinstance(answer, StoredObject):
                read = (
                    answer.item if answer.item.uri == item.uri else structs.replace(answer.item, uri=item.uri)
                )
                data = answer.data
                if not self.position_word and data[:1] == b"{" and (read.size or 0) <= self._max_bytes:
                    yield self._record(read, data, captures, "", None)
                else:
                    yield from self._records(read, data, captures)
            else:
                yield ReadFailure(item, answer)

    def _records(self, item: Item, data: bytes, captures: Captures) -> Iterable[Record]:
        """The records of one object; what cannot be read is a fault of the object, or of its line or element."""
        fault, limit = None, self._max_bytes
        if (item.size or 0) > limit:
            message = f"{item.size} bytes are more than the limit of {limit}"
            help = "raise `max_bytes`" if self.options.max_bytes else TOO_LARGE_HELP
            fault = BadRecord(message, code=TOO_LARGE, help=help)
        elif self.position_word == "line":
            for number, line, fault in lines(blocks(data), limit):
                yield self._record(item, line, captures, str(number), fault)
            return
        else:
            try:
                data = data if data[:1] == b"{" else b"".join(blocks(data, limit))
                if self.position_word:
                    yield from self._elements(item, data, captures)
                    return
            except BadRecord as error:
                fault = error
        yield self._record(item, data, captures, "", fault)

    def _elements(self, item: Item, data: bytes, captures: Captures) -> Iterator[Record]:
        """The elements of the list at a place of the document; raises BadRecord if there is none."""
        place = self.options.records
        steps = () if place.text == "list" else place.steps
        value = document = _value(data, {str(step) for step in steps[:1]})
        for step in steps:
            is_there = isinstance(value, list) if isinstance(step, int) else isinstance(value, dict)
            if isinstance(step, int):
                value = value[step] if is_there and step < len(value) else None
            else:
                value = value.get(step) if is_there else None
        if not isinstance(value, list):
            raise no_list(document, data, place.text)
        for number, element in enumerate(value, 1):
            raw = ENCODER.encode(element)
            fault = None if isinstance(element, dict) else BadRecord("no JSON object", help=MAPPING_HELP)
            fields = element if fault is None else None
            yield self._record(item, raw, captures, str(number), fault, fields)

    def _record(
        self,
        item: Item,
        data: bytes,
        captures: Captures,
        position: str,
        fault: BadRecord | None,
        fields: dict[str, Any] | None = None,
    ) -> Record:
        """One record, of its bytes if its fields are not known."""
        try:
            if fault:
                raise fault
            fields = parse(data, self._wanted) if fields is None else fields
            if self._body and self._body.isdisjoint(fields):
                captures = {**fields, **captures}  # by which `only` may leave the record out
                raise absent(fields, data, self.context.body_fields)
            fields = _with_captures(fields, captures)
        except BadRecord as error:
            raw = b"" if error.code == TOO_LARGE else data
            return Record(fields=captures, item=item, position=position, raw=raw, fault=error)
        return Record(fields=fields, item=item, position=position, raw=data)

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
    return [Connector("json", "JSON objects: one per file, or many.", JsonOptions, driver=JsonDriver)]
