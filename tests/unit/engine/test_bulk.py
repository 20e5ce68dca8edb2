"""Many objects at once are what each is alone: for any bytes, in batches cut at any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pyarrow import parquet

from kit import fakes
from kit.documents import csv_documents, examples, json_documents, spoiled
from kit.fakes import column
from kit.paths import DATA
from kit.specs import valid
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.lookup import look_up
from plait.language.spec import Join
from plait.plugin import Item, Key, LookupPath, Record, RecordTable
from plait.testing.cases.case import CaseObject
from plait.testing.cases.stand_ins import MemoryObjects
from plait.values import arrow_casts
from plait.values.types import parse
from plait_connectors import csv as csv_connector
from plait_connectors._csv_options import CsvOptions, Delimiter, Mark
from plait_connectors._csv_plain import PlainGroups

SPEC = (DATA / "specs/bulk.yaml").read_text(encoding="utf-8")


def services(bodies: dict[str, bytes]) -> Services:
    """What connectors are lent, over objects in memory."""
    services_in_memory = Services()
    objects = (CaseObject(Item(uri=uri, size=len(data)), data) for uri, data in bodies.items())
    services_in_memory.objects = MemoryObjects(objects)
    return services_in_memory


@contextmanager
def many_from(number: int) -> Iterator[None]:
    """Within, so many records are many; where no number is, each file is read alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow_casts, "MANY", number)
        if number:
            patch.setattr(PlainGroups, "add", lambda *_: False)
        yield


def ran(bodies: dict[str, bytes], batch: int) -> tuple[Any, ...]:
    """The rows of each file, the quarantine and the report of a run in batches of a size."""
    lent_services = services(bodies)
    engine = Engine(valid(SPEC), lent_services)
    report = engine.run([Item(uri=uri) for uri in bodies if "/orders/" in uri], batch=batch)
    puts = {put.uri: put.data for put in lent_services.objects.puts}  # type: ignore[attr-defined]
    files = {uri: pa.BufferReader(data) for uri, data in puts.items() if uri.startswith("s3://lake/")}
    rows = {uri: parquet.read_table(file).to_pylist() for uri, file in files.items()}
    document = report.as_json()
    bad = {uri: data for uri, data in puts.items() if uri not in rows}
    problems = sorted(str(problem) for problem in document["problems"])
    sources = document["sources"]["orders"]
    return repr(rows), bad, document["objects"], document["records"], document["rows"], problems, sources


names = st.sampled_from(["", "x", "17", "0.30", "é", "null", "true", ":x", "日本"])
orders = st.lists(spoiled(json_documents) | json_documents, max_size=8)
items = st.dictionaries(names, spoiled(csv_documents) | csv_documents, max_size=6)


@pytest.mark.fault("J1", "J4", "J5", "J6", "J7", "J8", "J9", "J11", "C2", "C3", "C4")
@given(orders, items, st.integers(1, 8))
@examples(1, most=2_000)
def test_batches_of_any_size_give_what_each_object_gives_alone(
    documents: list[bytes], files: dict[str, bytes], batch: int
) -> None:
    """Files, quarantine, counts and problems; joined with CSV files that rows share."""
    bodies = {f"s3://raw/orders/{n}.json": data for n, data in enumerate(documents)}
    bodies |= {f"s3://raw/items/{name}.csv": data for name, data in files.items()}
    with many_from(1_000_000):
        alone = ran(bodies, 1)
    with many_from(0):
        assert ran(bodies, batch) == alone


DIALECTS: list[dict[str, Any]] = [
    {},
    {"null": ("x", "1"), "skip": 1},
    {"header": ("a", "b", "c"), "null": ("NA",)},
    {"header": ("a", "b"), "skip": 2},
    {"quote": Mark("'"), "escape": Mark("\\"), "null": ("-",)},
    {"quote": Mark("")},
]


def asked(files: list[bytes], word: str, dialect: dict[str, Any], many: int) -> dict[str, Any]:
    """Look files up together; the rows and the faults of each."""
    bodies = {f"s3://raw/{n}.csv": data for n, data in enumerate(files)}
    options = CsvOptions(path=LookupPath.parse("s3://raw/{id}.csv"), **dialect)
    where = csv_connector.CsvLookup(options, services(bodies).context("s", None))
    (connector,) = csv_connector.plait_connectors()
    columns = column("a", "string", default="none"), column("b", word), column("c", "string")
    source = replace(
        fakes.source(*columns, join=Join(on=(("id", "id"),))), connector=connector, options=options
    )
    ids = pa.table({"id": [str(n) for n in range(len(files))]})
    with many_from(many):
        answers, _ = look_up(source, where, ids, {"id": parse("string")})
    by_name: dict[str, Any] = {str(n): ([], []) for n in range(len(files))}
    for name, row in zip(answers.keys[0].to_pylist(), answers.table.to_pylist(), strict=True):
        by_name[name][0].append(repr(row))
    for (name,), faults in answers.faults.items():
        by_name[name][1].extend((error.code, error.message, error.help) for _, error in faults)
    return by_name


WORDS = ("string", "int", "decimal(12,2)", "double", "timestamp", "boolean")


@pytest.mark.fault("C2", "C3", "C4", "C5")
@given(
    st.lists(spoiled(csv_documents) | csv_documents, max_size=8),
    st.sampled_from(WORDS),
    st.sampled_from([",", ";", " "]),
    st.sampled_from(DIALECTS),
)
@examples(3, most=2_000)
def test_many_csv_files_at_once_are_what_each_is_alone(
    files: list[bytes], word: str, delimiter: str, dialect: dict[str, Any]
) -> None:
    """Rows, nulls, and faults with their lines, whatever the neighbours complete, swallow or double."""
    alone, dialect = {}, {"delimiter": Delimiter(delimiter), **dialect}
    for n, data in enumerate(files):
        alone[str(n)] = asked([data], word, dialect, 1_000_000)["0"]
    together = asked(files, word, dialect, 0)
    assert together.keys() == alone.keys()
    for name, (rows, faults) in together.items():
        assert rows == alone[name][0]
        assert [(c, m.replace(f"/{name}.csv", "/0.csv"), h) for c, m, h in faults] == alone[name][1]


MARK = b"\xef\xbb\xbf"
PLAIN = [
    MARK + b"a,b\nx,1\n",
    b"a,b\nx,1\ny,\n",
    b"a,b\r\nx,1\r\n",
    b"a,b\nx,1",
    b"a,b\n",
    b"a,b",
]

OTHERS = [b'a,b\n"x",1\n', b"a,b\nx\n", MARK + b"a,b\n" + MARK + b"x,1\n"]


def test_plain_files_come_as_one_block() -> None:
    """Line ends, a mark and a missing last newline are plain; what has a quote or a second mark is read alone."""
    bodies = {f"s3://raw/{n}.csv": data for n, data in enumerate([*PLAIN, *OTHERS])}
    options = CsvOptions(path=LookupPath.parse("s3://raw/{id}.csv"))
    where = csv_connector.CsvLookup(options, services(bodies).context("s", None))
    *single, block = where.fetch([Key(fields={"id": str(n)}) for n in range(len(bodies))])
    assert len(single) == len(OTHERS)
    assert isinstance(block, RecordTable)
    rows = [(record.fields["id"], record.position, record.fields["a"]) for record in block.records()]
    assert rows == [
        *(("0", "line 2", "x"), ("1", "line 2", "x"), ("1", "line 3", "y")),
        *(("2", "line 2", "x"), ("3", "line 2", "x")),
    ]


def test_a_file_that_is_not_plain_is_read_alone_and_the_others_together() -> None:
    """A line too long and one too short make up for each other in number; neither spoils the files beside it."""
    bodies = {"0": b"a,b\nx,1,2\n", "1": b"a,b\ny\n", "2": b"a,b\nz,1\n", "3": b"a,b\n\nw,1\n"}
    options = CsvOptions(path=LookupPath.parse("s3://raw/{id}.csv"))
    lent = services({f"s3://raw/{n}.csv": data for n, data in bodies.items()}).context("s", None)
    *single, block = csv_connector.CsvLookup(options, lent).fetch([Key(fields={"id": n}) for n in bodies])
    assert isinstance(block, RecordTable)
    assert [record.fields for record in block.records()] == [{"a": "z", "b": "1", "id": "2"}]
    assert [getattr(answer, "fault", answer) is None for answer in single] == [False, False, True]


def test_no_file_is_lost_where_those_that_looked_plain_are_not() -> None:
    """The lines of one file make up for each other, so that Arrow alone sees it; another has a quote."""
    bodies = {"0": b"a,b\nx,1,2\ny\n", "1": b"a,b\nz,1\n", "2": b'a,b\n"w",1\n'}
    options = CsvOptions(path=LookupPath.parse("s3://raw/{id}.csv"))
    lent = services({f"s3://raw/{n}.csv": data for n, data in bodies.items()}).context("s", None)
    answers = [*csv_connector.CsvLookup(options, lent).fetch([Key(fields={"id": n}) for n in bodies])]
    assert [(a.fields["id"], a.fault is None) for a in answers if isinstance(a, Record)] == [
        *(("0", False), ("0", False)),
        *(("1", True), ("2", True)),
    ]
