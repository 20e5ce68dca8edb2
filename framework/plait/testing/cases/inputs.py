"""Make what the sources of a case hold: objects with their bytes, or records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from plait.language.finding import Finding
from plait.plugin import BadRecord, DriverPath, GiveUp, Item, Missing, TryAgain, no_such_field
from plait.problems.problem import excerpt
from plait.problems.suggest import nearest
from plait.testing.cases.case import CaseObject, SourceInputs
from plait.testing.cases.schema import Base64, Moment, path_of, reads_files
from plait.values.conversion_error import ConversionError
from plait.values.paths import normal_uri
from plait.values.patterns import FOLDERS, UNNAMED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plait.language.source_map import KeyPath
    from plait.language.spec import Source, Spec
    from plait.plugin import PlaitError, Record

BYTES_KEYS = ("json", "text", "base64")
HOLDING_KEYS = (*BYTES_KEYS, "fields", "rows", "files", "gone", "fails")
TIME_FIELD = "$time"
JSON_ENCODER = msgspec.json.Encoder(decimal_format="number")


def read_inputs(
    given: Mapping[str, tuple[Any, KeyPath]], spec: Spec, now: datetime, findings: list[Finding]
) -> dict[str, SourceInputs]:
    """What each source holds; `given` are the source's block, whose shape is right, and its place in the file."""
    inputs = {}
    for name, (block, path) in given.items():
        reader = InputReader(spec.source(name), now, findings)
        inputs[name] = reader.driver(block, path) if name == spec.driver.name else reader.lookup(block, path)
    return inputs


@dataclass(frozen=True, slots=True)
class InputReader:
    """Reads the block of one source, and adds what is wrong with it to `findings`."""

    source: Source
    now: datetime
    findings: list[Finding]

    def driver(self, block: Any, path: KeyPath) -> SourceInputs:
        """The objects of a driver."""
        if isinstance(block, list):
            objects = [self._object(member, (*path, n), n) for n, member in enumerate(block)]
        else:
            objects = [self._object(block, path, 0)]
        uris = [case_object.item.uri for case_object in objects]
        for uri in sorted({uri for uri in uris if uris.count(uri) > 1}):
            self._add(path, f"the object {excerpt(uri)} is given twice", code="duplicate-object", at="key")
        return SourceInputs(objects=tuple(objects))

    def lookup(self, block: Any, path: KeyPath) -> SourceInputs:
        """The files or the records of a look-up."""
        block, rows_path = ({"rows": block}, path) if isinstance(block, list) else (block, (*path, "rows"))
        of_files = ("files",) if reads_files(self.source) else ()
        if not self._has_one_of(("rows", *of_files, "fails"), block, path):
            return SourceInputs()
        if "files" in block:
            files = [self._file(name, file, (*path, "files", name)) for name, file in block["files"].items()]
            return SourceInputs(objects=tuple(files))
        rows = [self._record(row, (*rows_path, n)) for n, row in enumerate(block.get("rows", ()))]
        if "fails" in block:
            return SourceInputs(records=_failure(block["fails"], self.source.name))
        return SourceInputs(records=tuple(row for row in rows if row))

    def _record(self, row: dict[str, Any], path: KeyPath) -> Record | None:
        """A row, which may have a time as `$time`, as the record that the source would return; None if it has none."""
        fields = {name: value for name, value in row.items() if name != TIME_FIELD}
        try:
            record = self.source.role.record_of_case(fields)
            time = Moment.parse(str(row[TIME_FIELD])) if TIME_FIELD in row else None
        except (BadRecord, ConversionError) as error:
            place = (*path, TIME_FIELD) if isinstance(error, ConversionError) else path
            self._add(place, str(error), error.help, code=getattr(error, "code", "wrong-value"))
            return None
        self._warn_of_misspelt([name for name in fields if record and name in record.fields], path)
        body = self.source.body_fields if reads_files(self.source) else ()
        if record and body and {*body}.isdisjoint(fields):
            record = structs.replace(record, fault=no_such_field(fields, body, of_header=True))
        return structs.replace(record, time=time) if record and time else record

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
                self._add((*path, name), message, help, code="unknown-field", at="key", level="warning")

    def _object(self, block: dict[str, Any], path: KeyPath, number: int) -> CaseObject:
        content_keys = BYTES_KEYS if reads_files(self.source) else ("fields",)
        self._has_one_of((*content_keys, "gone", "fails"), block, path)
        if isinstance(block.get("json"), dict):
            self._warn_of_misspelt([*block["json"]], (*path, "json"))
        modified = Moment.parse(block["modified"]) if "modified" in block else self.now
        held = _held(self._uri(block.get("object"), number, path), block, modified)
        record = self._record(block["fields"], (*path, "fields")) if "fields" in block else None
        return held if record is None else replace(held, content=record)

    def _file(self, name: str, block: Any, path: KeyPath) -> CaseObject:
        block = {"text": block} if isinstance(block, str) else block
        self._has_one_of((*BYTES_KEYS, "fails"), block, path)
        template = path_of(self.source)
        assert template is not None  # noqa: S101 - it reads files
        uri = _full_address(template.literal, name)
        if DriverPath(template.text, template.parts).match(uri) is None:
            self._add(
                path, f"no row asks for {excerpt(uri)}", f"the path is `{template.text[:80]}`", at="key"
            )
        return _held(uri, block, self.now)

    def _uri(self, name: str | None, number: int, path: KeyPath) -> str:
        """The URI of an object by its name, or by its number if it has none."""
        template = path_of(self.source)
        if template is None:
            return normal_uri(name or f"{self.source.name}/{number + 1}")
        if name is not None:
            return _full_address(template.literal, name)
        if template.columns:
            help = f"the path has `{{{template.columns[0]}}}` in it"
            self._add(path, "`object` is missing", help, code="missing-key")
        texts: dict[Any, str] = {
            FOLDERS: f"{number + 1}/",
            **dict.fromkeys({*UNNAMED} - {FOLDERS}, str(number + 1)),
        }
        return normal_uri("".join(texts.get(part, str(part)) for part in template.parts))

    def _has_one_of(self, keys: tuple[str, ...], block: dict[str, Any], path: KeyPath) -> bool:
        """Whether one of these keys, and nothing else, says what the source holds; if not, this is found."""
        help = "give one of " + ", ".join(f"`{key}`" for key in keys)
        present = [key for key in block if key in HOLDING_KEYS]
        if not present:
            self._add(path, "nothing says what it holds", help, code="missing-key")
        elif len(present) > 1:
            self._add(path, f"given in {len(present)} ways", help)
        elif present[0] not in keys:
            self._add((*path, present[0]), f"`{self.source.name}` takes no `{present[0]}`", help, at="key")
        return len(present) == 1 and present[0] in keys

    def _add(self, path: KeyPath, message: str, help: str | None = None, **more: Any) -> None:
        self.findings.append(Finding(path, message, help, **{"code": "wrong-value", **more}))


def _held(uri: str, block: dict[str, Any], modified: datetime) -> CaseObject:
    """An object with the bytes or the failure that a block says."""
    content: bytes | PlaitError | Missing = Missing(uri)
    if "json" in block:
        content = JSON_ENCODER.encode(block["json"])
    elif "text" in block:
        content = block["text"].encode("utf-8", "surrogatepass")
    elif "base64" in block:
        content = Base64.parse(block["base64"])
    elif "fails" in block:
        content = _failure(block["fails"], uri)
    data = content if isinstance(content, bytes) else b""
    etag = block.get("etag") or hashlib.sha256(data).hexdigest()[:32]
    return CaseObject(Item(uri=uri, size=len(data), modified=modified, etag=etag), content)


def _failure(word: str, subject: str) -> PlaitError:
    """The error of a source that `fails`."""
    error_class = TryAgain if word == "throttled" else GiveUp
    return error_class(f"`{subject}` is {word} in this case")


def _full_address(literal: str, name: str) -> str:
    """An address as it is; a name becomes an address in the folder that the literal start of a path names."""
    folder = "" if name.startswith(("s3://", "/")) else literal[: literal.rfind("/") + 1]
    return normal_uri(folder + name)
