"""What has a limit, how much it is, and what becomes of more: each with a way to try it."""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pytest

from kit import fakes
from kit.connect import csv_lookup, json_driver
from kit.fakes import decodings
from plait.engine import join, partition
from plait.engine.lookup import look_up
from plait.engine.rows import Rows
from plait.language.forms import Partition
from plait.language.spec import Join
from plait.plugin import BadRecord, Item, Key, Options, Record
from plait.values import decode, strict_json
from plait.values.conversion_error import ConversionError
from plait.values.convert import MAX_EXPONENT, convert
from plait.values.decode import Step
from plait.values.memory import memory, room_for_object, room_for_values, size_of_values
from plait.values.strict_json import MAX_DEPTH, NotJson, parse_json
from plait.values.types import parse
from plait_connectors import _csv_file, _csv_plain, _mysql_select, cloudwatch_logs, dynamodb, mysql
from plait_connectors._csv_options import CsvOptions

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
BAD = "bad record"


@dataclass(frozen=True)
class Limit:
    """A limit of `what`, what follows beyond it, and what raises it; `work` of a size tries it at `size` and beyond."""

    what: str
    most: str
    work: Callable[[int], Any] | None = None
    size: int = 0
    raised: str = ""
    beyond: str = BAD

    def tried(self) -> tuple[str | None, str | None]:
        """What an error says at the limit and one beyond it, its help included; None where there is none."""
        assert self.work
        return message(self.work, self.size), message(self.work, self.size + 1)


def message(work: Callable[[int], Any], size: int) -> str | None:
    """What an expected error says, whether it is raised or returned."""
    try:
        error = work(size)
    except (BadRecord, ConversionError, NotJson) as raised:
        error = raised
    return f"{error} {getattr(error, 'help', None) or ''}" if isinstance(error, Exception) else None


def default(options: type[Options], name: str) -> int:
    """The default of a connector's option."""
    return next(int(f.default) for f in msgspec.structs.fields(options) if f.name == name)


def of_json(data: bytes, **options: Any) -> Any:
    """The fault of an object."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "o.json").write_bytes(data)
        driver = json_driver(f"{folder}/*.json", **options)
        (record,) = driver.read([Item(uri=f"{folder}/o.json")])
        return record.fault if isinstance(record, Record) else None


def of_csv(data: bytes, **options: Any) -> Any:
    """The fault of a file."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "1.csv").write_bytes(data)
        records = [*csv_lookup(f"{folder}/{{id}}.csv", **options).fetch([Key(fields={"id": "1"})])]
        return next((record.fault for record in records if isinstance(record, Record)), None)


def nested(levels: int) -> bytes:
    """A document so deep."""
    return b'{"v":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def unzipped(length: int) -> Any:
    """What the step `gzip` makes of so many zeros."""
    return decode.decode({"v": gzip.compress(bytes(length))}, decodings({"v": (Step("gzip"),)}))


def many_rows(matches: int) -> Any:
    """What a row with so many matches is told, where a thousand is the most."""
    source = fakes.source(fakes.column("n", "int"), join=Join(on=(("k", "k"),), shape="rows"))
    lookup = fakes.FixedLookup([Record(fields={"k": 1, "n": n}) for n in range(matches)])
    table = pa.table({"k": [1]})
    answers, _ = look_up(source, lookup, table, {"k": parse("bigint")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "MOST_ROWS", 1000)
        return join.join(Rows(table, [0]), answers, source).bad.get(0)


def folder(length: int) -> Any:
    """What a partition value of so many characters is told."""
    part = Partition(name="p", function="column", column="c")
    return partition.folderless_rows(pa.table({"c": ["x" * length]}), [part]).get(0)


def asked_of_dynamodb(length: int) -> Any:
    """Whether DynamoDB is asked for a text of so many characters."""
    return None if dynamodb._is_possible({"S": "x" * length}) else BadRecord("not asked")


def table_of(columns: int, rows: int) -> bytes:
    """A file of so many columns and rows, of one letter each."""
    head = ",".join(f"c{n}" for n in range(columns))
    return "\n".join([head, *[",".join("x" * columns)] * rows]).encode()


def fields_of(number: int) -> Any:
    """What a file with so many delimiters and line ends is told, where a thousand are the most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_csv_file, "MAX_FIELDS", 1000)
        patch.setattr(_csv_plain, "MAX_PLAIN_BYTES", 0)  # a file of five million fields is larger
        return of_csv(table_of(1, number))


NOISE = bytes(range(256)) * 256


def inflated(length: int) -> Any:
    """What the step `gzip` makes of bytes that do not get smaller, where 64 KiB are the most."""
    data = gzip.compress(NOISE.ljust(length, b"x"), compresslevel=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "MAX_INFLATED", len(NOISE))
        return decode.decode({"v": data}, decodings({"v": (Step("gzip"),)}))


def valued(elements: int) -> Any:
    """The fault of an object with a list of so many numbers, where there is room for those of `VALUED`."""
    room = size_of_values(list_of(VALUED))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "room_for_values", lambda: room)
        return of_json(list_of(elements))


def list_of(elements: int) -> bytes:
    """A document with a list of so many elements."""
    return b'{"v":[' + b",".join([b"{}"] * elements) + b"]}"


MEMORY, VALUED = memory(), strict_json.LARGE
ROWS = default(CsvOptions, "max_rows")
LIMITS = [
    Limit(
        "bytes of an object of `json`", f"1/{MEMORY // room_for_object()} of the memory",
        lambda n: of_json(b"{}".ljust(n), max_bytes=20), 20, "`max_bytes`",
    ),
    Limit(
        "memory that the values of a document of JSON take", f"about 1/{MEMORY // room_for_values()} of all",
        valued, VALUED, "`deploy.memory`",
    ),
    Limit("levels of a document of JSON", f"{MAX_DEPTH}", lambda n: parse_json(nested(n)), MAX_DEPTH),
    Limit("digits of a whole number in JSON", "4,300", lambda n: parse_json(b"9" * n), 4300),
    Limit(
        "characters of a text that is a number", f"{MAX_EXPONENT}",
        lambda n: convert("0." + "1" * (n - 2), parse("double")), MAX_EXPONENT,
    ),
    Limit("bytes that the step `gzip` makes", f"{decode.MAX_INFLATED // MIB} MiB", inflated, len(NOISE)),
    Limit(
        "the same, for each byte that it is given",
        f"{decode.MAX_RATIO}, beyond the first {decode.MAX_AT_ANY_RATIO // 1024} KiB", unzipped, decode.MAX_AT_ANY_RATIO,
    ),
    Limit(
        "bytes of a file of `csv`", f"{default(CsvOptions, 'max_bytes') // MIB} MiB",
        lambda n: of_csv(b"v\n" + b"x" * (n - 2), max_bytes=20), 20, "`max_bytes`",
    ),
    Limit("rows of a file of `csv`", f"{ROWS:,}", lambda n: of_csv(table_of(1, n), max_rows=20), 20, "`max_rows`"),
    Limit(
        "columns of a file of `csv`", f"{_csv_plain.MAX_COLUMNS:,}",
        lambda n: of_csv(table_of(n, 1)), _csv_plain.MAX_COLUMNS,
    ),
    Limit("delimiters and line ends of a file of `csv`", f"{_csv_file.MAX_FIELDS:,}", fields_of, 1000),
    Limit("characters of a field of CSV", "131,072", lambda n: of_csv(b"v\n" + b"x" * n), 131_072),
    Limit("rows of `mysql` for one key", f"{default(mysql.MySQLOptions, 'max_rows'):,}", raised="`max_rows`"),
    Limit("bytes of a text or binary that is a key of `mysql`", f"{_mysql_select.MAX_KEY_BYTES:,}"),
    Limit("seconds that a query of `mysql` takes", "25", raised="an index", beyond="the objects come again"),
    Limit(
        "bytes of a text or binary that is a key of `dynamodb`",
        f"{dynamodb.MAX_KEY_BYTES:,}, and {dynamodb.MAX_SORT_KEY_BYTES:,} of a sort key, as in DynamoDB",
        asked_of_dynamodb, dynamodb.MAX_KEY_BYTES, beyond="no match",
    ),
    Limit(
        "lines of `cloudwatch_logs` in the time of a batch's rows",
        f"{default(cloudwatch_logs.CloudWatchLogsOptions, 'max_lines'):,}", raised="`max_lines`", beyond="the objects fail",
    ),
    Limit("rows that `as: rows` makes of one record", f"{join.MOST_ROWS:,}", many_rows, 1000),
    Limit("bytes of the name of a partition's folder", f"{partition.MAX_NAME_BYTES}", folder, partition.MAX_NAME_BYTES - len("p=")),
]  # fmt: skip
