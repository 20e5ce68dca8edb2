"""What `read` and `table` of a pipeline give is what was written: each type, each partition, from folders and from S3."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd  # type: ignore[import-untyped] # it ships no types
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from integration.values.cells import same
from integration.values.kinds import KINDS
from kit.network.proxy import Proxy
from kit.run import put
from kit.servers.buckets import buckets
from plait.pipeline.pipeline import Pipeline
from plait.plugin import GiveUp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plait_sandbox.aws import LocalAws

PARTS = {
    "day": "date(at)",
    "month": "month(at)",
    "hour": "hour(at, Europe/Berlin)",
    "part": "bucket(4, n)",
    "tag": "tag",
    "ok": "ok",
    "price": "price",
    "n": "n",
    "moment": "at",
}
COLUMNS = {
    "at": "timestamp",
    "n": "bigint",
    "tag": "string",
    "ok": "boolean",
    "price": "decimal(12,2)",
    "tiny": {"type": "tinyint", "from": "n"},
    "small": {"type": "smallint", "from": "n"},
    "whole": {"type": "int", "from": "n"},
    "single": {"type": "float", "from": "n"},
    "big": "bigint",
    "raw": "binary",
}
OBJECTS: list[dict[str, Any]] = [
    {"at": "2026-06-30T22:30:00.000001Z", "n": 7, "tag": "a/b=%2F é", "ok": True, "price": "12.50", "raw": "AP8="},
    {"at": "0001-01-01T00:00:00Z", "n": -7, "tag": None, "ok": False, "price": "-0.10", "big": 9007199254740993},
    {"at": "9999-12-31T10:00:00Z", "n": 0, "tag": " ", "ok": True, "price": "0"},
]  # fmt: skip
EXPECTED: list[dict[str, Any]] = [
    {"at": datetime(2026, 6, 30, 22, 30, 0, 1, UTC), "n": 7, "tag": "a/b=%2F é", "ok": True, "price": Decimal("12.50"), "day": date(2026, 6, 30), "month": "2026-06", "hour": "2026-07-01-00", "raw": b"\0\xff", "big": None},
    {"at": datetime(1, 1, 1, tzinfo=UTC), "n": -7, "tag": None, "ok": False, "price": Decimal("-0.10"), "day": date(1, 1, 1), "month": "0001-01", "hour": "0001-01-01-00", "raw": None, "big": 9007199254740993},
    {"at": datetime(9999, 12, 31, 10, tzinfo=UTC), "n": 0, "tag": " ", "ok": True, "price": Decimal("0.00"), "day": date(9999, 12, 31), "month": "9999-12", "hour": "9999-12-31-11", "raw": None, "big": None},
]  # fmt: skip
CELLS = [
    (f"{word}_{n}_{i}", f"{word}{n}", kind, value)
    for word in ("json", "text")
    for n, value_kind in enumerate(KINDS[word])
    for i, (kind, value) in enumerate(value_kind.fits.items())
    if kind != "binary"  # of which JSON has none but what is decoded
]


@pytest.fixture(params=["folder", "s3"])
def base(request: pytest.FixtureRequest, tmp_path: Path, at_aws: LocalAws) -> Iterator[str]:
    """Where lakes are: a folder, or a bucket of moto's server."""
    if request.param == "folder":
        yield f"{tmp_path}/lake"
        return
    client = boto3.client("s3")
    with buckets(client, "read"):
        yield "s3://read/team=a/lake"
    client.close()


def pipeline(
    folder: Path, sink: str, columns: Mapping[str, Any], parts: Mapping[str, str], **blocks: Any
) -> Pipeline:
    """A pipeline of the JSON files of a folder."""
    source = {"connector": "json", "path": f"{folder}/*.json", "columns": columns, **blocks}
    spec = {"plait": 1, "name": "s", "sources": {"o": source}, "partition_by": parts}
    spec["sink"] = {"connector": "parquet", "path": f"{sink}/"}
    return Pipeline.load("s.yaml", {}, json.dumps(spec).encode())


def test_a_frame_has_every_cell_that_was_written_with_its_type(tmp_path: Path, base: str) -> None:
    """Of every type, null where there is none, with partitions of every function and type as they were."""
    sources = {
        f"{word}{n}": kind.source if word == "json" else json.dumps(kind.source)
        for word in ("json", "text")
        for n, kind in enumerate(KINDS[word])
        if kind.source is not None
    }
    fields = ", ".join(f'"{name}": {text}' for name, text in sources.items())
    for number, record in enumerate(OBJECTS):
        text = json.dumps(record) if number else f"{json.dumps(record)[:-1]}, {fields}}}"
        (tmp_path / f"{number}.json").write_text(text)
    columns = {**COLUMNS, **{name: {"type": kind, "from": origin} for name, origin, kind, _ in CELLS}}
    spec = pipeline(tmp_path, base, columns, PARTS, decode={"raw": ["base64"]})
    assert spec.table().num_rows == 0
    assert spec.run().ok
    schema = pa.schema([field.arrow() for field in (*spec.plan().columns, *spec.plan().partitions)])
    table, frame = spec.table(), spec.read()
    assert [(f.name, f.type) for f in table.schema] == [(f.name, f.type) for f in schema]
    assert pa.Table.from_pandas(frame, preserve_index=False).equals(table)
    rows = sorted(table.to_pylist(maps_as_pydicts="strict"), key=lambda row: OBJECTS.index(_object(row["n"])))
    assert len(rows) == len(OBJECTS)
    for row, values, is_first in zip(rows, EXPECTED, (True, False, False), strict=True):
        cells = {name: value if is_first else None for name, _, _, value in CELLS}
        numbers = {
            "tiny": values["n"],
            "small": values["n"],
            "whole": values["n"],
            "single": float(values["n"]),
        }
        wanted = {**values, **numbers, **cells, "moment": values["at"], "part": row["part"]}
        assert {name: row[name] for name in wanted if not same(row[name], wanted[name])} == {}
        assert {*row} == {*wanted}


def _object(n: int) -> dict[str, Any]:
    return next(record for record in OBJECTS if record["n"] == n)


@pytest.fixture
def orders(tmp_path: Path, base: str) -> Pipeline:
    """A lake of twelve orders on three days, of two tiers or none."""
    for n in range(12):
        at = f"2026-07-0{n % 3 + 1}T10:00:00Z"
        record = {"id": n, "at": at, "tier": [None, "gold", "o'hara"][n % 4 % 3], "total": f"{n}.50"}
        (tmp_path / f"{n}.json").write_text(json.dumps(record))
    columns = {
        "id": "bigint",
        "at": "timestamp",
        "tier": "string",
        "total": "decimal(12,2)",
        "tags": "array<string>",
    }
    spec = pipeline(tmp_path, base, columns, {"day": "date(at)"})
    assert spec.run().ok
    return spec


FIRST, SECOND = date(2026, 7, 1), date(2026, 7, 2)
CONDITIONS: list[tuple[Any, Any]] = [
    (None, lambda _: True),
    ({}, lambda _: True),
    ({"day": SECOND}, lambda row: row["day"] == SECOND),
    ({"day": "2026-07-02"}, lambda row: row["day"] == SECOND),
    ({"day": [FIRST, "2026-07-02"], "tier": ["gold", None]}, lambda r: r["day"] <= SECOND and r["tier"] in ("gold", None)),
    ({"tier": None}, lambda row: row["tier"] is None),
    ({"tier": "o'hara", "id": range(6)}, lambda row: row["tier"] == "o'hara" and row["id"] < 6),
    ({"total": Decimal("3.5")}, lambda row: row["total"] == Decimal("3.50")),
    ({"at": "2026-07-01T10:00:00Z"}, lambda row: row["day"] == FIRST),
    ({"at": datetime(2026, 7, 1, 10)}, lambda row: row["day"] == FIRST),
    ({"id": pd.Series([3, 4])}, lambda row: row["id"] in (3, 4)),
    ({"id": 3.0}, lambda row: row["id"] == 3),
    ({"day": []}, lambda _: False),
    ({"day": date(2020, 1, 1)}, lambda _: False),
    ((pc.field("day") >= SECOND) & (pc.field("id") > 5), lambda row: row["day"] >= SECOND and row["id"] > 5),
]  # fmt: skip


def test_a_condition_gives_the_rows_that_meet_it_and_no_others(orders: Pipeline) -> None:
    """Whatever columns are wanted, in the order in which they are named."""
    rows = sorted(orders.table().to_pylist(), key=lambda row: row["id"])
    assert len(rows) == 12
    for where, meets in CONDITIONS:
        table = orders.table(columns=["total", "id"], where=where)
        expected = [{"total": row["total"], "id": row["id"]} for row in rows if meets(row)]
        assert sorted(table.to_pylist(), key=lambda row: row["id"]) == expected, where
        assert table.column_names == ["total", "id"]
    assert {*orders.table(columns="day")["day"].to_pylist()} == {row["day"] for row in rows}


def test_files_of_other_partitions_are_not_read(
    orders: Pipeline, base: str, at_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On S3 the requests are counted; in folders such files are damaged, and nobody minds."""
    conditions = [{"day": SECOND}, pc.field("day") == SECOND, {"day": "2026-07-02", "tier": "gold"}]
    if base.startswith("s3:"):
        with Proxy(at_aws.endpoint) as proxy:
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
            for where in conditions:
                proxy.reset()
                assert {*orders.table(where=where)["day"].to_pylist()} == {SECOND}
                reads = {request.path for request in proxy.log if ".parquet" in request.path}
                assert len(reads) == 4
                assert all("/day%3D2026-07-02/" in path for path in reads), reads
        return
    for file in (tmp_path / "lake").rglob("*.parquet"):
        if file.parent.name != "day=2026-07-02":
            file.write_bytes(b"damaged")
    for where in conditions:
        assert {*orders.table(where=where)["day"].to_pylist()} == {SECOND}
    with pytest.raises(GiveUp, match="lake/` cannot be read: ") as raised:
        orders.table()
    assert raised.value.code == "unreadable-lake"


def test_what_older_files_lack_is_null_and_narrower_numbers_are_widened(tmp_path: Path, base: str) -> None:
    """Columns, and fields of structs, in lists too; what readers pass over is passed over."""
    old = {"n": "int", "s": "struct<a:string>", "l": "array<struct<a:string>>"}
    new = {"n": "bigint", "s": "struct<a:string,b:int>", "l": "array<struct<a:string,b:int>>", "x": "string"}
    record = {"n": 1, "s": {"a": "x", "b": 1}, "l": [{"a": "y", "b": 2}], "x": "z"}
    specs = [pipeline(tmp_path / f"in{n}", base, columns, {}) for n, columns in enumerate((old, new))]
    for number, spec in enumerate(specs):
        put(tmp_path / f"in{number}" / "o.json", {**record, "n": number})
        assert spec.run().ok
    if not base.startswith("s3:"):
        for name in ("_temporary/a.parquet", "notes.txt"):
            put(tmp_path / "lake" / name, b"no file")
    older, newer = sorted(specs[1].table().to_pylist(), key=lambda row: row["n"])
    assert older == {"n": 0, "s": {"a": "x", "b": None}, "l": [{"a": "y", "b": None}], "x": None}
    assert newer == {**record, "n": 1}


NO_FIT = "`where` does not fit the columns of the lake: "
COMPARE = "compare columns that are there with values of their types"


def test_a_folder_is_read_however_its_path_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "o.json", {"id": 1})
    for path in ("./lake", "lake//a", f"{tmp_path}//b"):
        spec = pipeline(tmp_path, path, {"id": "bigint"}, {"part": "id"})
        assert spec.run().ok
        assert spec.table().to_pylist() == [{"id": 1, "part": 1}], path


def test_what_cannot_be_read_is_told_to_people(orders: Pipeline, tmp_path: Path, base: str) -> None:
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"columns": ["tire"]}, "the lake has no column `tire`", "did you mean `tier`?"),
        ({"where": {"dya": 1}}, "the lake has no column `dya`", "did you mean `day`?"),
        ({"where": {"day": "July"}}, "`where` has a value for `day` that is no `date32[day]`", "give values of its type"),
        ({"where": {"id": [1, "x"]}}, "`where` has a value for `id` that is no `int64`", "give values of its type"),
        ({"where": {"id": 1.5}}, "`where` has a value for `id` that is no `int64`", "give values of its type"),
        ({"where": {"day": datetime(2026, 7, 1, 10)}}, "`where` has a value for `day` that is no `date32[day]`", "give values of its type"),
        ({"where": pc.field("dya") == FIRST}, NO_FIT + "No match for FieldRef.Name(dya) in id: int64", COMPARE),
        ({"where": pc.field("day") > "x"}, NO_FIT + "Function 'greater' has no kernel matching input types (date32[day], string)", COMPARE),
        ({"where": {"tags": [["a"]]}}, NO_FIT + "Function 'is_in' has no kernel matching input types (list<element: string>)", COMPARE),
        ({"where": "day = 1"}, "`where` is neither a mapping nor an expression of pyarrow", 'write `{"day": value}`'),
    ]  # fmt: skip
    for arguments, message, help in wrong:
        with pytest.raises(GiveUp) as raised:
            orders.read(**arguments)
        assert (raised.value.message, raised.value.help) == (message, help)
    other = pipeline(tmp_path, base, {"id": "bigint", "at": "timestamp"}, {"month": "month(at)"})
    with pytest.raises(GiveUp, match="does not lie in the folders of `partition_by`"):
        other.table()
    typed = pipeline(tmp_path, base, {"id": "bigint", "tier": "date", "at": "timestamp"}, {"day": "date(at)"})
    with pytest.raises(GiveUp, match="lake/` cannot be read: "):
        typed.table()
    folder = f"{base}/day=2026-07-05"
    if base.startswith("s3:"):
        boto3.client("s3").put_object(Bucket="read", Key=f"{folder.removeprefix('s3://read/')}/x.parquet")
    else:
        put(Path(folder) / "x.parquet", b"")
    with pytest.raises(GiveUp, match=r"lake/` cannot be read: .*x\.parquet"):
        orders.read()


def test_who_lacks_the_extra_is_told_how_to_install_it(
    orders: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("awswrangler", "pandas"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(GiveUp, match="which is not installed") as raised:
        orders.read()
    assert raised.value.help == "install it: `pip install 'plait[aws]'`"


def test_a_query_of_a_lake_without_a_table_is_answered_exactly(orders: Pipeline) -> None:
    """By DuckDB, which finds neither Python's variables nor another time zone than UTC."""
    frame = orders.query(
        'select day, sum(total) as total, min(s."at") as earliest from s where id < 6 group by day order by 1;'
    )
    assert [str(kind) for kind in frame.dtypes] == [
        "date32[day][pyarrow]",
        "decimal128(38, 2)[pyarrow]",
        "timestamp[us, tz=UTC][pyarrow]",
    ]
    at = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert frame.iloc[0].to_list() == [FIRST, Decimal("4.00"), at]
    assert len(frame) == 3
    assert orders.query("select id from s where id > 99").shape == (0, 1)
    with pytest.raises(GiveUp, match="Table with name plan does not exist") as raised:
        orders.query("select * from plan")
    assert raised.value.help == "the lake is called `s`"


def test_who_lacks_duckdb_is_told_how_to_install_it(
    orders: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(GiveUp, match="needs `duckdb`, which is not installed") as raised:
        orders.query("select 1")
    assert raised.value.help == "install it: `pip install 'plait[duckdb]'`"
