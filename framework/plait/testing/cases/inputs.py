"""What the sources of a case hold: objects with their bytes, and the records of the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from plait.language.structure import ProblemCollector, read_struct
from plait.language.wording import kind_of
from plait.plugin import BadRecord, DriverPath, LookupPath, Record
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for, nearest
from plait.testing.cases.case import CaseInputs, Object
from plait.testing.cases.keys import ContentBlock, LookupBlock, Moment, ObjectBlock
from plait.values.templates import STAR, STARS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from plait.language.source_map import KeyPath
    from plait.language.spec import Source, Spec
    from plait.testing.cases.yaml_text import Places

BYTES = ("json", "text", "base64")
WAYS = (*BYTES, "fields", "gone", "fails")
TIME = "$time"
JSON = msgspec.json.Encoder(decimal_format="number")


def read_given(
    blocks: Mapping[str, tuple[Any, KeyPath]],
    spec: Spec,
    now: datetime,
    collector: ProblemCollector,
    places: Places,
) -> dict[str, CaseInputs]:
    """What each source holds, from its block and the block's place."""
    names = [spec.driver.name, *(source.name for source in spec.lookups)]
    given = {}
    for name, (block, path) in blocks.items():
        if name not in names:
            help = help_for(name, names, "source", None)
            collector.add_at_key(path, "unknown-source", f"the spec has no source {excerpt(name)}", help=help)
        elif block is not None:
            reading = _Reading(spec.source(name), now, collector, places)
            given[name] = reading.driver(block, path) if name == names[0] else reading.lookup(block, path)
    return given


def needs_objects(source: Source) -> bool:
    """Whether a driver has nothing to read unless a case gives it."""
    return not source.connector.offline or _path_of(source, DriverPath) is not None


@dataclass(frozen=True, slots=True)
class _Reading:
    source: Source
    now: datetime
    collector: ProblemCollector
    places: Places

    def driver(self, block: Any, path: KeyPath) -> CaseInputs:
        if isinstance(block, list):
            objects = [self._object(one, (*path, n), n) for n, one in enumerate(block)]
        else:
            objects = [self._object(block, path, 0)]
        found = [one for one in objects if one]
        uris = [one.uri for one in found]
        for uri in {uri for uri in uris if uris.count(uri) > 1}:
            self.collector.add_at_key(path, "duplicate-object", f"the object {excerpt(uri)} is given twice")
        if len({one.record is None for one in found}) > 1:
            help = "give `fields` for all, or for none"
            self.collector.add_at_key(
                path, "wrong-value", "some objects have `fields`, some have bytes", help=help
            )
        return CaseInputs(objects=tuple(found))

    def lookup(self, block: Any, path: KeyPath) -> CaseInputs:
        block, path_of_rows = ({"rows": block}, path) if isinstance(block, list) else (block, (*path, "rows"))
        found: LookupBlock | None = read_struct(LookupBlock, block, path, self.collector)
        if found is None:
            return CaseInputs()
        if len(block) != 1:
            help = "give one of `rows`, `files`, `fails`"
            self.collector.add_at_key(path, "wrong-value", f"`{self.source.name}` is given in {len(block)} ways",
                               help=help)  # fmt: skip
        if found.files is not None:
            files = [self._file(name, one, (*path, "files", name)) for name, one in found.files.items()]
            return CaseInputs(objects=tuple(file for file in files if file))
        rows = [self.record(one, (*path_of_rows, n)) for n, one in enumerate(found.rows or ())]
        return CaseInputs(records=tuple(row for row in rows if row), fails=found.fails)

    def record(self, row: Any, path: KeyPath) -> Record | None:
        """A row as the record that the source would give; None where it would give none."""
        if not isinstance(row, dict):
            self.collector.add_at(path, "wrong-kind", f"expected a mapping of fields, got {kind_of(row)}")
            return None
        make = self.source.connector.given or _as_fields
        try:
            record = make(self.source.options, self.places.exact(row, path))
        except BadRecord as error:
            self.collector.add_at(path, error.code, error.message, help=error.help)
            return None
        self._spelling([name for name in row if record and name in record.fields], path)
        return record

    def _spelling(self, names: list[str], path: KeyPath) -> None:
        """Warn of a field that the spec does not take, where it takes one that is spelt nearly so."""
        source = self.source
        if source.fields is None:
            return
        taken = [*source.fields, *source.connector.row_columns(source.options)] if source.join else [*source.fields]  # fmt: skip
        for name in names:
            meant = None if name in taken else nearest(name, [one for one in taken if one not in names])
            if meant:
                message = f"the spec takes no field {excerpt(name)} of `{source.name}`"
                help = f"did you mean `{meant}`?"
                self.collector.add_at_key((*path, name), "unknown-field", message, help=help, level="warning")

    def _object(self, block: Any, path: KeyPath, number: int) -> Object | None:
        found: ObjectBlock | None = read_struct(ObjectBlock, block, path, self.collector)
        way = self._way(block, WAYS, path) if found else None
        if found is None or way is None:
            return None
        uri = self._uri(found.object, number, path)
        record = self.record(block["fields"], (*path, "fields")) if way == "fields" else None
        if uri is None or (way == "fields" and record is None):
            return None
        if way in BYTES and not self.source.connector.offline:
            message = f"`{self.source.name}` reads no files"
            self.collector.add_at_key(
                (*path, way), "wrong-value", message, help="give the record as `fields`"
            )
        if way == "json" and isinstance(block["json"], dict):
            self._spelling([*block["json"]], (*path, "json"))
        modified = found.modified.time if isinstance(found.modified, Moment) else self.now
        return Object(uri=uri, data=self._data(block, found, path), record=record, modified=modified,
                      etag=found.etag, fails=found.fails)  # fmt: skip

    def _file(self, name: str, block: Any, path: KeyPath) -> Object | None:
        if not self.source.connector.offline:
            message = f"`{self.source.name}` reads no files"
            self.collector.add_at_key(path, "wrong-value", message, help="give its `rows`")
            return None
        if isinstance(block, str):
            found, block = ContentBlock(), {"text": block}
            data: bytes | None = block["text"].encode("utf-8", "surrogatepass")
        else:
            found = read_struct(ContentBlock, block, path, self.collector)
            if found is None or self._way(block, (*BYTES, "fails"), path) is None:
                return None
            data = self._data(block, found, path)
        template = _path_of(self.source, LookupPath)
        uri = _below(template.literal, name) if template else name
        if template and DriverPath(template.text, template.parts).match(uri) is None:
            message = f"no row asks for {excerpt(uri)}"
            self.collector.add_at_key(
                path, "wrong-value", message, help=f"the path is `{template.text[:80]}`"
            )
        return Object(uri=uri, data=data, modified=self.now, fails=found.fails)

    def _way(self, block: Any, ways: tuple[str, ...], path: KeyPath) -> str | None:
        chosen = [way for way in ways if way in block]
        if len(chosen) == 1:
            return chosen[0]
        message = f"given in {len(chosen)} ways" if chosen else "nothing says what it holds"
        help = "give one of " + ", ".join(f"`{way}`" for way in ways)
        self.collector.add_at(path, "wrong-value" if chosen else "missing-key", message, help=help)
        return None

    def _data(self, block: Any, found: ContentBlock, path: KeyPath) -> bytes | None:
        if "json" in block:
            return self._json(block["json"], (*path, "json"))
        if found.text:
            return found.text.text.encode("utf-8", "surrogatepass")
        return found.base64.data if found.base64 else None

    def _json(self, value: Any, path: KeyPath) -> bytes:
        exact = self.places.exact(value, path)
        leaves = _leaves(exact, path)
        bad = next((at for at, one in leaves if isinstance(one, float) and not math.isfinite(one)), None)
        if bad:
            message = f"{excerpt(self.places.written(bad))} is no number of JSON"
            self.collector.add_at(bad, "wrong-value", message, help="give the file as `text`")
        return JSON.encode(exact)

    def _uri(self, name: str | None, number: int, path: KeyPath) -> str | None:
        template = _path_of(self.source, DriverPath)
        if template is None:
            return name or f"{self.source.name}/{number + 1}"
        if name is not None:
            return _below(template.literal, name)
        named = template.columns
        if named:
            help = f"the path has `{{{named[0]}}}` in it"
            self.collector.add_at(path, "missing-key", "`object` is missing", help=help)
            return None
        parts = (str(number + 1) if part in (STAR, STARS) else part for part in template.parts)
        return "".join(str(part) for part in parts)


def _path_of(source: Source, kind: type[Any]) -> Any:
    members = (getattr(source.options, field) for field in source.options.__struct_fields__)
    return next((member for member in members if isinstance(member, kind)), None)


def _below(literal: str, name: str) -> str:
    """A whole address as it is, a name below the folder that a path begins with."""
    if name.startswith(("s3://", "/")):
        return name
    return literal[: literal.rfind("/") + 1] + name


def _as_fields(_options: Any, row: Mapping[str, Any]) -> Record:
    fields = {name: value for name, value in row.items() if name != TIME}
    if TIME not in row:
        return Record(fields=fields)
    try:
        return Record(fields=fields, time=Moment.parse(str(row[TIME])).time)
    except ValueError as error:
        raise BadRecord(f"`{TIME}`: {error}", code="wrong-value") from None


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for step, one in pairs:
            yield from _leaves(one, (*path, step))
    else:
        yield path, value
