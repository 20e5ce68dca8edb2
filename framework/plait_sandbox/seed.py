"""What a spec needs on AWS and in MySQL, and what a seed, the `given` of a file of cases, puts there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from plait.language.finding import Finding
from plait.language.spec import options_of_type
from plait.language.structure import to_problems
from plait.language.wording import kind_of
from plait.pipeline.invalid_spec import InvalidSpec
from plait.plugin import DriverPath, FolderPath, GiveUp
from plait.problems.problem import excerpt
from plait.values.conversion_error import ConversionError
from plait.values.convert import convert
from plait.values.paths import PathTemplate, on_s3
from plait.values.types import Type
from plait_sandbox.contents import Contents, DynamoTable, MysqlTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.language.source_map import KeyPath
    from plait.language.spec import Source, Spec
    from plait.testing.cases.case import GivenFile

DATABASE = "sandbox"  # of tables that a spec names without their database
EPOCH, MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
TIME, LONGEST_INTEGER = Type("timestamp"), 63
NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")
SQL_TYPES = {
    **{word: word.upper() for word in (*NUMBERS, "boolean", "date")},
    "string": "LONGTEXT",
    "timestamp": "DATETIME(6)",
    "binary": "LONGBLOB",
}
KEY_TYPES = {**dict.fromkeys((*NUMBERS, "decimal"), "N"), "binary": "B"}
KEY_CLASSES: dict[str, tuple[type, ...]] = {"N": (int, Decimal), "B": (bytes,), "S": (str,)}
KEY_WORDS = {"N": "a number", "B": "bytes", "S": "text"}
ONLY_IN_CASES = ("fields", "modified", "etag", "gone", "fails")  # what an object of S3 cannot be told


def read_contents(spec: Spec, seed: GivenFile | None) -> Contents:
    """What the servers hold for a spec; raises InvalidSpec with the problems of a seed that they cannot hold."""
    reader = _Reader(spec, seed)
    for source in (spec.driver, *spec.lookups):
        reader.read(source)
    paths = [path for block in spec.blocks for path in _paths(block.options)]
    reader.contents.buckets.update(path.bucket for path in paths if path.bucket)
    if spec.quarantine and on_s3(spec.quarantine.path):
        reader.contents.buckets.add(spec.quarantine.path.split("/")[2])
    for table in reader.contents.mysql.values():
        for field in dict.fromkeys(field for row in table.rows for field in row):
            table.columns.setdefault(field, _inferred_type([row.get(field) for row in table.rows]))
    problems = to_problems(reader.findings, seed.source_map) if seed and seed.source_map else []
    if seed and any(problem.level == "error" for problem in problems):
        raise InvalidSpec(seed.file, problems, seed.text)
    reader.contents.warnings.extend(problems)
    return reader.contents


class _Reader:
    """Adds to contents what each source needs and is given, and finds what is wrong with the seed."""

    def __init__(self, spec: Spec, seed: GivenFile | None) -> None:
        self.spec, self.contents = spec, Contents()
        self.inputs = seed.inputs if seed else {}
        self.findings: list[Finding] = []
        self.places = [*seed.source_map.key_spans] if seed and seed.source_map else []
        self.given = seed.source_map.value["given"] if seed and seed.source_map else {}
        in_the_row = [source for source in spec.lookups if source.join and source.join.shape != "list"]
        self.row_types = {
            column.name: column.type
            for source in (spec.driver, *in_the_row)
            for column in source.columns or ()
        }

    def read(self, source: Source) -> None:
        """Add what one source needs and is given."""
        readers = {"mysql": self._mysql, "dynamodb": self._dynamodb, "cloudwatch_logs": self._logs}
        readers.get(source.connector.name, self._objects)(source)

    def _problem(self, path: KeyPath, message: str, help: str | None) -> None:
        at: Literal["key", "value"] = "value" if len(path) > 2 else "key"
        self.findings.append(Finding(path, message, help, code="wrong-value", at=at))

    def _rows(self, source: Source) -> Iterator[tuple[dict[str, Any], KeyPath]]:
        """The rows that are given for a source, with their places in the seed."""
        path: KeyPath = ("given", source.name)
        block = self.given.get(source.name)
        if isinstance(block, dict):
            if "fails" in block:
                self._problem((*path, "fails"), "the servers of a sandbox answer", "give `rows`")
            block, path = block.get("rows"), (*path, "rows")
        for number, row in enumerate(block or ()):
            yield row, (*path, number)

    def _mysql(self, source: Source) -> None:
        options = source.options
        *databases, name = (part.strip("`") for part in re.findall("`[^`]*`|[^.]+", options.table))
        database = databases[0] if databases else options.database
        secret = options.secret.rpartition(":")[2]  # moto finds an ARN by what stands behind its last colon
        if not database or secret not in self.contents.secrets:
            self.contents.secrets[secret] = database or DATABASE
        types = self._field_types(options.table)
        columns = {field: _sql_type(kind) for field, kind in types.items()}
        table = self.contents.mysql.setdefault((database or DATABASE, name), MysqlTable(columns))
        for row, path in self._rows(source):
            table.rows.append(
                {field: self._cell(value, types.get(field), (*path, field)) for field, value in row.items()}
            )

    def _field_types(self, table: str) -> dict[str, Type]:
        """The types that the sources of a MySQL table declare for its fields, or for the columns joined with them."""
        types: dict[str, Type] = {}
        sources = [source for source in self.spec.lookups if getattr(source.options, "table", None) == table]
        for source in sources:
            for column in source.columns or ():
                field = str(column.selector[0])
                if len(column.selector) == 1 and all(
                    field != decoding.place.steps[0] for decoding in source.decode
                ):
                    types.setdefault(field, column.type)
        for left, right in (pair for source in sources if source.join for pair in source.join.on):
            types.setdefault(right, self.row_types.get(left, Type("string")))
        return {field: kind for field, kind in types.items() if not kind.fields}

    def _cell(self, value: Any, kind: Type | None, path: KeyPath) -> Any:
        """A value as MySQL takes it, as the type of its column; None, and a problem, if it does not fit."""
        if isinstance(value, (dict, list)):
            self._problem(
                path, f"a column of MySQL cannot hold {kind_of(value)}", "write it as the text of its JSON"
            )
            return None
        try:
            converted = convert(value, kind) if kind else value
        except ConversionError as error:
            self._problem(path, f"column {excerpt(str(path[-1]))}: {error}", error.help or f"write a {kind}")
            return None
        return converted.replace(tzinfo=None) if isinstance(converted, datetime) else converted

    def _dynamodb(self, source: Source) -> None:
        name = source.options.table.rpartition("/")[2]
        pairs = source.join.on if source.join else ()
        keys = {
            right: KEY_TYPES.get(self.row_types[left].word, "S") if left in self.row_types else "S"
            for left, right in pairs
        }
        table = self.contents.dynamodb.setdefault(name, DynamoTable(keys))
        if len(keys) > 2 or table.keys != keys:
            raise GiveUp(
                f"`{source.name}` does not join on the key of a table `{name}`",
                help="a table has one or two key attributes: join each of its sources on them",
            )
        for item, path in self._rows(source):
            for key, kind in keys.items():
                value = item.get(key)
                if not isinstance(value, KEY_CLASSES[kind]) or isinstance(value, bool) or value == "":
                    message = f"the key {excerpt(key)} is {KEY_WORDS[kind]}, got {kind_of(value)}"
                    place = (*path, key) if key in item else path
                    self._problem(place, message, "give each item its key")
            if any(all(item.get(key) == other.get(key) for key in keys) for other in table.items):
                self._problem(path, "two items have this key", "give one of them")
            table.items.append(item)

    def _logs(self, source: Source) -> None:
        lines = self.contents.logs.setdefault(source.options.log_group, [])
        for row, path in self._rows(source):
            if time := self._cell(row["time"], TIME, (*path, "time")):
                lines.append(((time.replace(tzinfo=UTC) - EPOCH) // MILLISECOND, row["message"]))

    def _objects(self, source: Source) -> None:
        """Add the objects of a source that reads files on S3; what is given for any other source is a problem."""
        inputs = self.inputs.get(source.name)
        path: KeyPath = ("given", source.name)
        if inputs is None:
            return
        paths = [path for path in _paths(source.options) if not isinstance(path, FolderPath)]
        if not paths:
            message = f"the sandbox has no server for the connector `{source.connector.name}`"
            self._problem(path, message, "leave it out")
        elif not paths[0].bucket:
            message = f"`{source.name}` reads a folder of this machine, which the sandbox leaves as it is"
            self._problem(path, message, "put its files there, and leave it out")
        elif inputs.records is not None:
            self._problem(path, f"`{source.name}` is read from files", "give its `files`")
        for place in self.places:
            if place[:2] == path and place[-1] in ONLY_IN_CASES and "json" not in place:
                self._problem(place, f"`{place[-1]}` is for cases alone", "leave it out")
        driving = options_of_type(source.options, DriverPath)
        for stored in inputs.objects:
            uri, content = stored.item.uri, stored.content
            self.contents.objects[uri] = content if isinstance(content, bytes) else b""
            if paths and paths[0].bucket and not on_s3(uri):
                self._problem(path, f"{excerpt(uri)} is no object of S3", "begin it with `s3://`")
            elif source is self.spec.driver and not any(driven.match(uri) is not None for driven in driving):
                message, help = (
                    f"{excerpt(uri)} does not fit the driving path",
                    f"nothing reads it: {excerpt(paths[0].text)}",
                )
                self.findings.append(
                    Finding(path, message, help, code="wrong-value", at="key", level="warning")
                )


def _paths(options: Any) -> list[PathTemplate]:
    values = [getattr(options, field) for field in options.__struct_fields__]
    return [value for value in values if isinstance(value, PathTemplate)]


def _sql_type(kind: Type) -> str:
    return SQL_TYPES.get(kind.word, f"DECIMAL({kind.precision},{kind.scale})")


def _inferred_type(values: Sequence[Any]) -> str:
    """The type of a column that no source declares, by its values."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int} and all(value is None or value.bit_length() <= LONGEST_INTEGER for value in values):
        return "BIGINT"
    if kinds and kinds <= {int, Decimal}:
        scales = [-int(value.as_tuple().exponent) for value in values if isinstance(value, Decimal)]
        return f"DECIMAL(38,{max(0, *scales, 0)})"
    return "LONGTEXT"
