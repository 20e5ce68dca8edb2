"""The connector `parquet`, in local folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from kit.connect import context
from plait.plugin import File, FolderPath, Item, PlaitError
from plait_connectors.parquet import ParquetOptions, ParquetSink, encode

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("total", pa.decimal128(12, 2)),
        ("items", pa.list_(pa.struct([("sku", pa.string())]))),
    ]
)
ROWS = [{"id": "a", "at": 1_000_000, "total": None, "items": [{"sku": "x"}]}]


def table(metadata: Any = None) -> Any:
    return pa.Table.from_pylist(ROWS, schema=SCHEMA).replace_schema_metadata(metadata)


def sink(folder: Any, **options: Any) -> Any:
    return ParquetSink(ParquetOptions(path=FolderPath.parse(folder), **options), context())


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip"])
def test_another_reader_finds_the_rows_and_the_types(tmp_path: Path, compression: Any) -> None:
    file = File(table=table(), folder="date=2026-07-01/", name="abc", item=Item(uri="in"))
    (written,) = sink(f"{tmp_path}/lake/", compression=compression).write([file])
    assert written.uri == f"{tmp_path}/lake/date=2026-07-01/abc.parquet"
    assert (written.rows, written.bytes > 100) == (1, True)
    query = (
        'select id, items[1].sku, typeof("at"), typeof(total) from read_parquet(?, hive_partitioning=false)'
    )
    rows = duckdb.execute(query, [written.uri]).fetchall()
    assert rows == [("a", "x", "TIMESTAMP WITH TIME ZONE", "DECIMAL(12,2)")]


def test_the_same_table_is_the_same_bytes_whatever_its_metadata() -> None:
    assert encode(table({"pandas": "{}"}), "snappy") == encode(table(), "snappy")
    assert b"pandas" not in encode(table({"pandas": "{}"}), "snappy")


@pytest.mark.parametrize("rows", [0, 1, 256, 257])
def test_a_file_of_few_rows_has_no_dictionary_and_no_statistics(rows: int) -> None:
    """What would take a reader longer to look at than the rows themselves, and be most of a small file."""
    whole = pa.table({"n": pa.array([n // 2 for n in range(rows)], pa.int64()), "text": ["same"] * rows})
    file = parquet.ParquetFile(pa.BufferReader(encode(whole, "snappy")))
    assert file.read().equals(whole.cast(file.schema_arrow))
    columns = [file.metadata.row_group(0).column(n) for n in range(2)]
    assert [column.is_stats_set for column in columns] == [rows > 256] * 2
    assert [column.has_dictionary_page for column in columns] == [rows > 256] * 2


def test_each_file_has_its_own_answer(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a file where a folder should be")
    files = [File(table=table(), folder=folder, name="f", item=Item(uri="in")) for folder in ("x/", "y/")]
    failed, written = sink(str(tmp_path)).write(files)
    assert isinstance(failed, PlaitError)
    assert written.rows == 1


def test_the_bytes_of_a_file_do_not_depend_on_the_chunks_of_its_table() -> None:
    """As of an object whose rows came in several batches; a row group has at most 131,072 rows."""
    numbers = range(300_000)
    lists = pa.array([[number] if number % 3 else None for number in numbers])
    whole = pa.table({"text": pa.array([f"{number % 1000}" for number in numbers]), "list": lists})
    cuts = [(0, 1), (1, 77_777), (77_778, 222_222)]
    for rows in (whole, whole.slice(0, 1_000), whole.slice(2, 100)):
        parts = pa.concat_tables([rows.slice(*cut) for cut in cuts])
        assert encode(parts, "snappy") == encode(rows, "snappy")
    file = parquet.ParquetFile(pa.BufferReader(encode(whole, "snappy")))
    assert [file.metadata.row_group(n).num_rows for n in range(3)] == [131_072, 131_072, 37_856]
