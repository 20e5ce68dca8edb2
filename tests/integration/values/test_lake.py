"""All values that fit, of all sources at once, come out of the lake as they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from integration.values.cells import same
from integration.values.kinds import KINDS as TABLES
from integration.values.sources import mysql_records
from kit.connect import create_table
from kit.oracle.oracle_lake import read_lake
from kit.servers.stand_ins import log_in
from kit.stubs import Stub
from plait.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from plait_sandbox.aws import LocalAws
    from plait_sandbox.mysql import LocalMysql

KINDS = {word: TABLES[word] for word in ("json", "csv", "memory", "mysql", "dynamodb")}


def columns_of(word: str) -> dict[str, dict[str, str]]:
    """A column for each type that each kind fits, by a name that says which."""
    return {name: {"type": kind, "from": f"f{n}"} for name, n, kind, _ in cells(word)}


def cells(word: str) -> list[tuple[str, int, str, Any]]:
    """The cells of a source's kinds: the column's name, the kind, the type, the value."""
    return [
        (f"{word}_{n}_{i}", n, kind, value)
        for n, value_kind in enumerate(KINDS[word])
        for i, (kind, value) in enumerate(value_kind.fits.items())
        if value is not None or kind == "string"
    ]


@pytest.fixture
def spec(tmp_path: Path, mysql: LocalMysql, reader: dict[str, Any], at_aws: LocalAws) -> bytes:
    """A pipeline of one object whose sources hold every kind of value, each as a field of its own."""
    fields = [f'"f{n}": {kind.source}' for n, kind in enumerate(KINDS["json"]) if kind.source is not None]
    (tmp_path / "o.json").write_text(f'{{"id": 1, {", ".join(fields)}}}')
    fields_of_line = [kind.source.removesuffix(",x") for kind in KINDS["csv"]]
    (tmp_path / "1.csv").write_text(
        f"{','.join(f'f{n}' for n in range(len(KINDS['csv'])))}\n{','.join(fields_of_line)}\n", newline=""
    )
    endpoint = at_aws.endpoint
    fill_wide_table(mysql, reader)
    Stub(endpoint=endpoint).client("secretsmanager").create_secret(
        Name="wide", SecretString=json.dumps(reader)
    )
    sources: dict[str, Any] = {
        "json": {"connector": "json", "path": f"{tmp_path}/*.json"},
        "csv": {"connector": "csv", "path": f"{tmp_path}/{{id}}.csv"},
        "memory": {
            "connector": "memory",
            "rows": [{"id": 1} | {f"f{n}": k.source for n, k in enumerate(KINDS["memory"])}],
        },
        "mysql": {"connector": "mysql", "secret": "wide", "table": "kinds.wide"},
        "dynamodb": {"connector": "dynamodb", "table": wide_item(endpoint)},
    }
    for word, source in sources.items():
        source["columns"] = columns_of(word)
        if word != "json":
            source["join"] = {"on": "id", "missing": "fail"}
    sources["json"]["columns"]["id"] = "int"
    sink = {"connector": "parquet", "path": f"{tmp_path}/lake/"}
    return json.dumps({"plait": 1, "name": "s", "sources": sources, "sink": sink}).encode()


def fill_wide_table(mysql: LocalMysql, reader: dict[str, Any]) -> None:
    """Make one table of all kinds of column."""
    mysql_records(KINDS["mysql"], mysql, reader)
    tables = range(len(KINDS["mysql"]))
    with log_in(mysql, database="kinds") as root:
        root.query("SET sql_mode = '', time_zone = '+00:00'")
        taken = ", ".join(f"k{n}.v AS f{n}" for n in tables)
        root.query(f"CREATE TABLE wide AS SELECT k0.id, {taken} FROM {', '.join(f'k{n}' for n in tables)}")


def wide_item(endpoint: str) -> str:
    """The name of a table with one item of all kinds of attribute."""
    client = Stub(endpoint=endpoint).client("dynamodb")
    create_table(client, "wide", id="N")
    values = {f"f{n}": kind.source for n, kind in enumerate(KINDS["dynamodb"]) if kind.source is not None}
    client.put_item(TableName="wide", Item={"id": {"N": "1"}, **values})
    return "wide"


@pytest.mark.fault("M6", "D5", "J8", "C4")
def test_every_value_that_fits_is_read_back_from_parquet_as_it_is(tmp_path: Path, spec: bytes) -> None:
    """By another reader, type for type."""
    report = Pipeline.load("s.yaml", {}, spec).run()
    assert report.ok, report.problems
    (row,) = read_lake(tmp_path / "lake")
    expected = {name: value for word in KINDS for name, _, _, value in cells(word)}
    assert len(expected) > 150
    assert {name: row[name] for name, value in expected.items() if not same(row[name], value)} == {}


def test_every_text_is_read_back_from_parquet_as_it_is(tmp_path: Path) -> None:
    """As each type whose full text it is."""
    fits = [
        (n, kind, value)
        for n, value_kind in enumerate(TABLES["text"])
        for kind, value in value_kind.fits.items()
    ]
    (tmp_path / "o.json").write_text(
        json.dumps({f"f{n}": kind.source for n, kind in enumerate(TABLES["text"])})
    )
    columns = {f"c{i}": {"type": kind, "from": f"f{n}"} for i, (n, kind, _) in enumerate(fits)}
    source = {"connector": "json", "path": f"{tmp_path}/*.json", "columns": columns}
    sink = {"connector": "parquet", "path": f"{tmp_path}/lake/"}
    spec = json.dumps({"plait": 1, "name": "s", "sources": {"o": source}, "sink": sink}).encode()
    assert Pipeline.load("s.yaml", {}, spec).run().ok
    (row,) = read_lake(tmp_path / "lake")
    assert [*row.values()] == [value for _, _, value in fits]
