"""Read what the sources of a case hold: objects with their bytes, or records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from plait.language.spec import options_of_type
from plait.language.wording import kind_of
from plait.plugin import BadRecord, DriverPath, LookupPath
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for, nearest
from plait.testing.cases.case import CaseObject, SourceInputs
from plait.testing.cases.keys import ContentBlock, LookupBlock, Moment, ObjectBlock
from plait.values.templates import FOLDERS, UNNAMED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plait.language.source_map import KeyPath
    from plait.language.spec import Source, Spec
    from plait.plugin import Record
    from plait.testing.cases.problem_collector import ProblemCollector
    from plait.testing.cases.yaml_text import YamlText

BYTES_KEYS = ("json", "text", "base64")
CONTENT_KEYS = (*BYTES_KEYS, "fields", "gone", "fails")
TIME_FIELD = "$time"
JSON_ENCODER = msgspec.json.Encoder(decimal_format="number")


def read_inputs(
    blocks: Mapping[str, tuple[Any, KeyPath]],
    spec: Spec,
    now: datetime,
    collector: ProblemCollector,
    yaml_text: YamlText,
) -> dict[str, SourceInputs]:
    """What each source holds, by its name; `blocks` are the source's block and the block's place in the file."""
    names = [spec.driver.name, *(source.name for source in spec.lookups)]
    inputs = {}
    for name, (block, path) in blocks.items():
        if name not in names:
            help = help_for(name, names, "source", None)
            collector.add_at_key(path, "unknown-source", f"the spec has no source {excerpt(name)}", help=help)
        elif block is not None:
            reader = _InputReader(spec.source(name), now, collector, yaml_text)
            inputs[name] = reader.driver(block, path) if name == names[0] else reader.lookup(block, path)
    return inputs


def needs_objects(source: Source) -> bool:
    """Whether a driver has nothing to read unless a case gives objects."""
    return not source.role.offline or bool(options_of_type(source.options, DriverPath))


@dataclass(frozen=True, slots=True)
class _InputReader:
    """Reads the block of one source, and collects its problems."""

    source: Source
    now: datetime
    collector: ProblemCollector
    yaml_text: YamlText

    def driver(self, block: Any, path: KeyPath) -> SourceInputs:
        if isinstance(block, list):
            objects = [self._object(member, (*path, n), n) for n, member in enumerate(block)]
        else:
            objects = [self._object(block, path, 0)]
        valid = [case_object for case_object in objects if case_object]
        uris = [case_object.uri for case_object in valid]
        for uri in {uri for uri in uris if uris.count(uri) > 1}:
            self.collector.add_at_key(path, "duplicate-object", f"the object {excerpt(uri)} is given twice")
        if len({case_object.record is None for case_object in valid}) > 1:
            message = "some objects have `fields`, some have bytes"
            self.collector.add_at_key(path, "wrong-value", message, help="give `fields` for all, or for none")
        return SourceInputs(objects=tuple(valid))

    def lookup(self, block: Any, path: KeyPath) -> SourceInputs:
        block, rows_path = ({"rows": block}, path) if isinstance(block, list) else (block, (*path, "rows"))
        lookup: LookupBlock | None = self.collector.read_struct(LookupBlock, block, path)
        if lookup is None:
            return SourceInputs()
        if len(block) != 1:
            message = f"`{self.source.name}` is given in {len(block)} ways"
            self.collector.add_at_key(
                path, "wrong-value", message, help="give one of `rows`, `files`, `fails`"
            )
        if lookup.files is not None:
            files = [
                self._file(name, content, (*path, "files", name)) for name, content in lookup.files.items()
            ]
            return SourceInputs(objects=tuple(file for file in files if file))
        rows = [self.record(row, (*rows_path, n)) for n, row in enumerate(lookup.rows or ())]
        return SourceInputs(records=tuple(row for row in rows if row), fails=lookup.fails)

    def record(self, row: Any, path: KeyPath) -> Record | None:
        """A row as the record that the source would return; None if it would return none."""
        if not isinstance(row, dict):
            self.collector.add_at(path, "wrong-kind", f"expected a mapping of fields, got {kind_of(row)}")
            return None
        try:
            record = self._record_of_row(self.yaml_text.with_decimals(row, path))
        except BadRecord as error:
            self.collector.add_at(path, error.code, error.message, help=error.help)
            return None
        self._warn_of_misspelt([name for name in row if record and name in record.fields], path)
        return record

    def _record_of_row(self, row: Mapping[str, Any]) -> Record | None:
        """The record of a row, with the time that it has as `$time`; raises BadRecord."""
        fields = {name: value for name, value in row.items() if name != TIME_FIELD}
        record = self.source.role.record_of_case(fields)
        if record is None or TIME_FIELD not in row:
            return record
        try:
            return structs.replace(record, time=Moment.parse(str(row[TIME_FIELD])).time)
        except ValueError as error:
            raise BadRecord(f"`{TIME_FIELD}`: {error}", code="wrong-value") from None

    def _warn_of_misspelt(self, names: list[str], path: KeyPath) -> None:
        """Warn of each field that the spec does not use, if it uses one with nearly the same name."""
        source = self.source
        if source.fields is None:
            return
        used = [*source.fields, *source.row_columns]
        for name in names:
            meant = None if name in used else nearest(name, [field for field in used if field not in names])
            if meant:
                message = f"the spec takes no field {excerpt(name)} of `{source.name}`"
                help = f"did you mean `{meant}`?"
                self.collector.add_at_key((*path, name), "unknown-field", message, help=help, level="warning")

    def _object(self, block: Any, path: KeyPath, number: int) -> CaseObject | None:
        object_block: ObjectBlock | None = self.collector.read_struct(ObjectBlock, block, path)
        content_key = self._content_key(block, CONTENT_KEYS, path) if object_block else None
        if object_block is None or content_key is None:
            return None
        uri = self._uri(object_block.object, number, path)
        record = self.record(block["fields"], (*path, "fields")) if content_key == "fields" else None
        if uri is None or (content_key == "fields" and record is None):
            return None
        if content_key in BYTES_KEYS and not self.source.role.offline:
            message = f"`{self.source.name}` reads no files"
            self.collector.add_at_key(
                (*path, content_key), "wrong-value", message, help="give the record as `fields`"
            )
        if content_key == "json" and isinstance(block["json"], dict):
            self._warn_of_misspelt([*block["json"]], (*path, "json"))
        modified = object_block.modified.time if isinstance(object_block.modified, Moment) else self.now
        return CaseObject(
            uri=uri,
            data=self._data(block, object_block, path),
            record=record,
            modified=modified,
            etag=object_block.etag,
            fails=object_block.fails,
        )

    def _file(self, name: str, block: Any, path: KeyPath) -> CaseObject | None:
        if not self.source.role.offline:
            message = f"`{self.source.name}` reads no files"
            self.collector.add_at_key(path, "wrong-value", message, help="give its `rows`")
            return None
        if isinstance(block, str):
            content, block = ContentBlock(), {"text": block}
            data: bytes | None = block["text"].encode("utf-8", "surrogatepass")
        else:
            content = self.collector.read_struct(ContentBlock, block, path)
            if content is None or self._content_key(block, (*BYTES_KEYS, "fails"), path) is None:
                return None
            data = self._data(block, content, path)
        template = next(iter(options_of_type(self.source.options, LookupPath)), None)
        uri = _full_address(template.literal, name) if template else name
        if template and DriverPath(template.text, template.parts).match(uri) is None:
            message = f"no row asks for {excerpt(uri)}"
            self.collector.add_at_key(
                path, "wrong-value", message, help=f"the path is `{template.text[:80]}`"
            )
        return CaseObject(uri=uri, data=data, modified=self.now, fails=content.fails)

    def _content_key(self, block: Any, keys: tuple[str, ...], path: KeyPath) -> str | None:
        """The one key of a block that says what an object holds; None, and a problem, if there are more or none."""
        present = [key for key in keys if key in block]
        if len(present) == 1:
            return present[0]
        message = f"given in {len(present)} ways" if present else "nothing says what it holds"
        help = "give one of " + ", ".join(f"`{key}`" for key in keys)
        self.collector.add_at(path, "wrong-value" if present else "missing-key", message, help=help)
        return None

    def _data(self, block: Any, content: ContentBlock, path: KeyPath) -> bytes | None:
        """The bytes that a block holds, None if it holds none."""
        if "json" in block:
            return self._json(block["json"], (*path, "json"))
        if content.text:
            return content.text.text.encode("utf-8", "surrogatepass")
        return content.base64.data if content.base64 else None

    def _json(self, value: Any, path: KeyPath) -> bytes:
        exact = self.yaml_text.with_decimals(value, path)
        return JSON_ENCODER.encode(exact)

    def _uri(self, name: str | None, number: int, path: KeyPath) -> str | None:
        """The URI of an object by its name, or by its number if it has none; None, and a problem, if it needs a name."""
        template = next(iter(options_of_type(self.source.options, DriverPath)), None)
        if template is None:
            return name or f"{self.source.name}/{number + 1}"
        if name is not None:
            return _full_address(template.literal, name)
        columns = template.columns
        if columns:
            help = f"the path has `{{{columns[0]}}}` in it"
            self.collector.add_at(path, "missing-key", "`object` is missing", help=help)
            return None
        texts = {FOLDERS: f"{number + 1}/", **dict.fromkeys({*UNNAMED} - {FOLDERS}, str(number + 1))}
        return "".join(part if isinstance(part, str) else texts[part] for part in template.parts)


def _full_address(literal: str, name: str) -> str:
    """An address as it is; a name becomes an address in the folder that the literal start of a path names."""
    if name.startswith(("s3://", "/")):
        return name
    return literal[: literal.rfind("/") + 1] + name
