"""Whoever reads the lake reads what was written: each text that is a partition, maps, and fields of any name.

Spark 3.5 reads every type always, and the many partitions in large.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from integration.values.hostile import FRAGMENTS
from kit.run import Lake, put, run
from plait.engine.partition import folderless_rows
from plait.language.forms import Partition

from .budget import LARGE, SEED, budget
from .results import Results

TEXTS = budget(400, 5_000)
PLANES = [
    (1, 0x7F),
    (0x80, 0x2FF),
    (0x300, 0x36F),
    (0x2000, 0x206F),
    (0x4E00, 0x4FFF),
    (0xE000, 0xFFFF),
    (0x10000, 0x10FFFF),
]
MEANING_ELSEWHERE = (
    *(
        ".",
        "..",
        "NULL",
        "null",
        "NaN",
        "true",
        "007",
        "1e3",
        "2026-07-01",
        "%2F",
        "%zz",
        "a%",
        "p=1/q=2",
        " a ",
        "_a",
        ".a",
    ),
    *(
        "__HIVE_DEFAULT_PARTITION",
        "__hive_default_partition__",
        "_temporary",
        "a._COPYING_",
        "[a-z]",
        "{a,b}",
        "a+b",
        "a&b",
    ),
)
SPARK = (
    "n INT, labels MAP<STRING, INT>, item STRUCT<`Item-Id`: INT>, p STRING",
    "n",
    "map_entries(labels) AS labels",
    "item",
    "p",
)
HIVE = ds.partitioning(pa.schema([("p", pa.string())]), flavor="hive")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Rows = dict[int, tuple[Any, ...]]


def texts() -> list[str]:
    """Distinct texts: each character of ASCII, what means something elsewhere, and mixtures of all planes of Unicode."""
    chance = random.Random(SEED)
    chosen = dict.fromkeys([*map(chr, range(1, 128)), *MEANING_ELSEWHERE, *filter(None, FRAGMENTS)])
    while len(chosen) < TEXTS:
        planes = chance.choices(PLANES, weights=[4, *[1] * (len(PLANES) - 1)], k=chance.randint(1, 12))
        chosen["".join(chr(chance.randint(*plane)) for plane in planes)] = None
    part = Partition(name="p", function="column", column="c")
    bad = folderless_rows(pa.table({"c": [*chosen]}), [part])
    return [text for number, text in enumerate(chosen) if number not in bad]


def row(number: int, text: str) -> dict[str, Any]:
    """What an object has: keys of a map in an order of their own, and a field whose name is no name of a column."""
    labels = {"z": number, text: None, "a": 7} if number % 5 else {}
    return {"n": number, "labels": labels if number % 7 else None, "item": {"Item-Id": number}, "p": text}


@pytest.fixture(scope="module")
def expected() -> list[dict[str, Any]]:
    return [row(number, text) for number, text in enumerate(texts())]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, expected: list[dict[str, Any]]) -> Lake:
    columns = {
        "n": "int",
        "labels": "map<string,int>",
        "item": 'struct<"Item-Id":int>',
        "p": "string",
    }
    folder = tmp_path_factory.mktemp("lake")
    lake = run(folder, expected, {"orders": {"columns": columns}}, partition_by={"p": "p"})
    assert lake.report.records.written == len(expected)
    return lake


def by_pyarrow(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ds.dataset(folder, partitioning=HIVE).to_table().to_pylist()
    return rows


def by_pandas(folder: Path) -> list[dict[str, Any]]:
    frame = pd.read_parquet(folder, partitioning=HIVE)
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def by_duckdb(folder: Path) -> list[dict[str, Any]]:
    query = "SELECT * FROM read_parquet(?, hive_partitioning = true, hive_types = {'p': VARCHAR})"
    with duckdb.connect() as connection:
        answer = connection.execute(query, [f"{folder}/*/*.parquet"])
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, values, strict=True)) for values in answer.fetchall()]


def ask_spark(folder: Path, schema: str, *columns: str) -> list[dict[str, Any]]:
    """In a process of its own, with a Java whose names of files are UTF-8 whatever this machine's are."""
    script = str(Path(__file__).with_name("spark_rows.py"))
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SPARK_LOCAL_IP": "127.0.0.1", "TZ": "UTC"}
    command = [sys.executable, "-P", script, str(folder), schema, *columns]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_spark(folder: Path) -> list[dict[str, Any]]:
    rows = ask_spark(folder, *SPARK)
    for row in rows:
        row["labels"] = row["labels"] and [(entry["key"], entry["value"]) for entry in row["labels"]]
    return rows


READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "pyarrow": by_pyarrow,
    "pandas": by_pandas,
    "duckdb": by_duckdb,
    **({"spark": by_spark} if LARGE else {}),
}


@pytest.mark.fault("P11")
@pytest.mark.parametrize("name", READERS)
def test_every_reader_gives_back_the_text_of_a_partition_maps_and_fields_of_any_name(
    name: str, lake: Lake, expected: list[dict[str, Any]], results: Results
) -> None:
    """Declared a string, every text but those that are bad records; the keys of a map stay in their order."""
    with results.part(f"partitions and maps read by {name}", SEED, texts=len(expected)):
        rows = READERS[name](lake.folder / "out")
        by_number = {row["n"]: row for row in rows}
        assert len(rows) == len(expected)
        different = [
            (row, by_number.get(row["n"])) for row in expected if same(by_number.get(row["n"])) != same(row)
        ]
        assert different == []


def same(row: dict[str, Any] | None) -> Any:
    """A row as it is compared: its map as pairs in their order, and null as pandas says it too."""
    if row is None:
        return None
    labels = row["labels"]
    pairs = None if labels is None else [*(labels.items() if isinstance(labels, dict) else labels)]
    return row["n"], pairs, row["item"], row["p"]


@pytest.mark.fault("P11")
def test_a_driver_over_the_folders_of_a_lake_gives_the_same_texts(
    lake: Lake, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    """And parts by them into the same folders."""
    folders = sorted(file.parent.name for file in lake.files())
    for number, folder in enumerate(folders):
        put(tmp_path / "in" / folder / "a.json", {"n": number})
    source = {"path": f"{tmp_path}/in/p={{p}}/*.json", "columns": {"n": "int", "p": "string"}}
    again = run(tmp_path, [], {"orders": source}, partition_by={"p": "p"})
    assert sorted(file.parent.name for file in again.files()) == folders
    assert {row["p"] for row in by_duckdb(tmp_path / "out")} == {row["p"] for row in expected}


EVERY_TYPE = {
    "id": "int",
    "tiny": "tinyint",
    "small": "smallint",
    "big": "bigint",
    "ok": "boolean",
    "single": "float",
    "ratio": "double",
    "total": "decimal(38,10)",
    "day": "date",
    "at": "timestamp",
    "raw": "binary",
    "tags": "array<string>",
    "attrs": "map<string,bigint>",
    "item": "struct<sku:string,marks:array<struct<n:decimal(8,2)>>>",
}
PARTS = {
    "on_day": ("date(at)", "date"),
    "in_month": ("month(at)", "string"),
    "part": ("bucket(3, big)", "int"),
    "price": ("total", "decimal(38,10)"),
    "flag": ("ok", "boolean"),
}
AS_TEXT = {"at": "unix_micros(at)", "raw": "hex(raw)", "attrs": "map_entries(attrs)"}


def rows_of_every_type() -> list[dict[str, Any]]:
    """Objects with the least, the greatest and no value of each type, and some between them."""
    chance = random.Random(SEED)
    full = {
        "tags": ["a", None],
        "attrs": {"z": 1, "a": None},
        "item": {"sku": "x", "marks": [{"n": "1.50"}, {"n": None}]},
    }
    least = {
        "tiny": -128,
        "small": -32768,
        "big": -(2**63),
        "ok": False,
        "single": -1.5,
        "ratio": 5e-324,
        "total": "-1234567890123456789012345678.0000000001",
        "day": "1900-01-01",
        "at": "1900-01-01T00:00:00.000001Z",
        "raw": "AP8=",
    }
    most = {
        "tiny": 127,
        "small": 32767,
        "big": 2**63 - 1,
        "ok": True,
        "single": 1.5,
        "ratio": 1e308,
        "total": "0.1",
        "day": "9999-12-31",
        "at": "9999-12-31T23:59:59.999999Z",
        "raw": "",
    }
    between = [
        {
            "big": chance.randint(-(2**63), 2**63 - 1),
            "ratio": chance.random(),
            "ok": bool(n % 2),
            "at": f"20{n % 90 + 10}-03-29T01:30:00Z",
            "total": f"{n}.25",
        }
        for n in range(budget(20, 500))
    ]
    return [{"id": n, **row} for n, row in enumerate([{**least, **full}, most, {}, *between])]


def written(row: dict[str, Any]) -> dict[str, Any]:
    """A row of Arrow as `spark_rows.py` prints it."""
    at, raw, attrs = row["at"], row["raw"], row["attrs"]
    texts = {
        "at": at and (at - EPOCH) // timedelta(microseconds=1),
        "raw": raw if raw is None else raw.hex().upper(),
        "attrs": attrs if attrs is None else [{"key": key, "value": value} for key, value in attrs],
    }
    return json.loads(json.dumps({**row, **texts}, default=str))  # type: ignore[no-any-return]


def test_spark_reads_every_type_and_partition_as_the_pipeline_reads_it_itself(tmp_path: Path) -> None:
    """By the types that the table has in Glue's catalogue."""
    columns = {**EVERY_TYPE, "raw": "binary"}
    sources = {"orders": {"columns": columns, "decode": {"raw": ["base64"]}}}
    objects = rows_of_every_type()
    lake = run(tmp_path, objects, sources, partition_by={name: how for name, (how, _) in PARTS.items()})
    assert lake.report.records.written == len(objects)
    table = lake.pipeline.table()
    types = {**EVERY_TYPE, **{name: kind for name, (_, kind) in PARTS.items()}}
    schema = ", ".join(f"{name} {kind}" for name, kind in types.items())
    selected = [f"{AS_TEXT[name]} AS {name}" if name in AS_TEXT else name for name in types]
    rows = {row["id"]: row for row in ask_spark(tmp_path / "out", schema, *selected)}
    expected = {row["id"]: written(row) for row in table.to_pylist()}
    assert len(rows) == len(expected) == len(objects)
    different = [
        (number, name, cell, rows[number][name])
        for number, row in expected.items()
        for name, cell in row.items()
        if rows[number][name] != cell
    ]
    assert different == []
