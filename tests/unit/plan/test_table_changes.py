"""What may change in a table that is there: only what leaves its files and partitions readable."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from kit.tables import table
from plait.plan.table_changes import changes_of

TYPES = [pair for pairs in table("table_changes.yaml").values() for pair in pairs]
SERDE = {"SerializationLibrary": "parquet"}


def made(*columns: tuple[str, str], location: str = "s3://lake/orders/", **more: Any) -> dict[str, Any]:
    storage = {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
        "Location": location,
        "SerdeInfo": SERDE,
    }
    keys = [{"Name": "date", "Type": "date"}]
    return {"Description": "", "StorageDescriptor": storage, "PartitionKeys": keys, "Parameters": {}, **more}


@pytest.mark.parametrize(("there", "meant", "result"), TYPES, ids=str)
def test_a_column_becomes_as_wide_as_both_types_or_is_refused(
    there: str, meant: str, result: str | None
) -> None:
    answer = changes_of(made(("c", there)), made(("c", meant)))
    kind = answer.table["StorageDescriptor"]["Columns"][0]["Type"]
    assert (kind, bool(answer.refused)) == (result or there, result is None)
    assert bool(answer.changes) == (kind != there)


def test_nothing_of_what_is_there_goes_and_nothing_given_is_changed() -> None:
    """Columns of others, their comments, parameters and everything else that Glue keeps."""
    there: Any = made(("theirs", "int"), ("c", "int"), Parameters={"crawler": "x"}, Retention=3, Owner="them")
    there["StorageDescriptor"]["Columns"][1]["Comment"] = "by hand"
    before = deepcopy(there)
    answer = changes_of(there, made(("new", "date"), ("c", "int"), Description="orders"))
    assert there == before
    assert answer.changes == ["add the column `new` date", "comment the table"]
    columns = [*before["StorageDescriptor"]["Columns"], {"Name": "new", "Type": "date"}]
    storage = {**before["StorageDescriptor"], "Columns": columns}
    assert answer.table == {**before, "Description": "orders", "StorageDescriptor": storage}


def test_projection_is_set_and_taken_away_and_other_parameters_stay() -> None:
    projected = {"projection.enabled": "true", "projection.date.range": "2026-07-01,NOW"}
    there = made(Parameters={"crawler": "x"})
    answer = changes_of(there, made(Parameters=projected))
    assert answer.table["Parameters"] == {"crawler": "x", **projected}
    assert "projection.date.range=2026-07-01,NOW" in answer.changes[0]
    back = changes_of(answer.table, made())
    assert (back.table["Parameters"], back.changes) == ({"crawler": "x"}, ["project no partitions"])


@pytest.mark.parametrize(
    ("meant", "reason"),
    [
        (made(location="s3://lake/other/"), "it lies at `s3://lake/orders/`"),
        (made(PartitionKeys=[]), "it is parted by `date` date, not nothing"),
        (made(PartitionKeys=[{"Name": "date", "Type": "string"}]), "not `date` string"),
    ],
)
def test_another_place_and_other_partitions_are_refused(meant: dict[str, Any], reason: str) -> None:
    (refused,) = changes_of(made(), meant).refused
    assert reason in refused


PARQUET = {"Columns": [], "SerdeInfo": SERDE}


@pytest.mark.parametrize(
    "there",
    [
        {"StorageDescriptor": {**PARQUET, "SerdeInfo": {"SerializationLibrary": "csv"}}},
        {"StorageDescriptor": {**PARQUET, "InputFormat": "org.apache.hudi.hadoop.HoodieParquetInputFormat"}},
        {"StorageDescriptor": PARQUET, "Parameters": {"spark.sql.sources.provider": "delta"}},
        {"StorageDescriptor": {"Columns": []}, "Parameters": {"table_type": "ICEBERG"}},
        {"StorageDescriptor": {"Columns": [], "SerdeInfo": {}}, "TableType": "VIRTUAL_VIEW"},
        {"TargetTable": {"CatalogId": "1", "DatabaseName": "of", "Name": "others"}},
    ],
    ids=["csv", "hudi", "delta", "iceberg", "view", "link"],
)
def test_a_table_of_another_format_is_refused(there: dict[str, Any]) -> None:
    reason = "it is no table of plain Parquet files: write to another table"
    assert changes_of(there, made(("c", "int"))).refused == [reason]


def test_the_case_of_a_column_is_no_other_column() -> None:
    """Athena has names in small letters, and no table with one of them twice."""
    answer = changes_of(made(("ID", "int")), made(("id", "bigint")))
    assert answer.table["StorageDescriptor"]["Columns"] == [{"Name": "ID", "Type": "bigint"}]
