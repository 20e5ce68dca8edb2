"""The connector `athena`, against a stand-in that runs its queries over the files of Glue's tables."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from kit.connect import single_records
from kit.run import rows_in
from kit.servers.athena_lake import fetch, lookup
from kit.servers.athena_tables import ROWS, TYPES
from plait.engine.context import Services
from plait.pipeline.pipeline import Pipeline
from plait.plugin import BadRecord, GiveUp, Key
from plait_sandbox.aws import LocalAws

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = [name for name in TYPES if name not in ("id", "day")]
COLUMNS = {name: TYPES[name] for name in TAKEN}


def run(folder: Path, keys: list[dict[str, Any]], **history: Any) -> tuple[list[dict[str, Any]], Any]:
    """Run a spec whose rows in the spec ask the table `orders`; the rows, and the report."""
    driver = {
        "connector": "memory",
        "rows": keys,
        "columns": {"n": "bigint", "key": "string", "order_date": "date"},
    }
    options = {"table": "lake.orders", "output": "s3://tmp/athena/", "workgroup": "etl", "columns": COLUMNS}
    spec = {
        "plait": 1,
        "name": "s",
        "sources": {
            "orders": driver,
            "history": {"connector": "athena", **options, "join": {"on": {"key": "id"}}, **history},
        },
        "sink": {"connector": "parquet", "path": f"{folder}/out/"},
    }
    report = Pipeline.load("s.yaml", {}, json.dumps(spec, ensure_ascii=False).encode()).run()
    return sorted(rows_in(folder / "out"), key=lambda row: row["n"]), report


@pytest.mark.fault("A5")
def test_thousand_keys_give_exactly_the_rows_of_the_oracle(at_athena: LocalAws, tmp_path: Path) -> None:
    """Null, empty text, `NaN`, quotes, decimals and nested lists arrive as they are; a key that only looks alike has no row."""
    keys: list[dict[str, Any]] = [
        {"n": n, "key": ROWS[n]["id"], "order_date": ROWS[n]["day"]} for n in range(1_000)
    ]
    keys[500]["key"], keys[501]["key"], keys[502]["key"] = None, "absent", "K17"
    oracle = {(row["id"], row["day"]): row for row in ROWS}
    nothing = dict.fromkeys(TYPES)
    rows, report = run(tmp_path, keys)
    assert len(rows) == 1_000
    for key, written in zip(keys, rows, strict=True):
        expected = oracle.get((key["key"], key["order_date"]), nothing)
        attrs, at = written["attrs"], written["at"]
        cells = {
            **written,
            "attrs": None if attrs is None else dict(attrs),
            "at": at and at.replace(tzinfo=None),
        }
        assert {name: cells[name] for name in TAKEN} == {name: expected[name] for name in TAKEN}, key
        assert repr(cells["ratio"]) == repr(expected["ratio"])
    assert report.calls["athena:StartQueryExecution"] == 1


def scanned_by_last() -> int:
    client = boto3.client("athena")
    id = client.list_query_executions(WorkGroup="etl")["QueryExecutionIds"][-1]
    return int(
        client.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Statistics"]["DataScannedInBytes"]
    )


@pytest.mark.fault("A2")
def test_partitions_that_the_row_names_are_read_alone(at_athena: LocalAws, tmp_path: Path) -> None:
    """With `partitions`, a row's match is in the partition of its own column, and the files of others are not read."""
    keys = [{"n": n, "key": f"k{n}", "order_date": "2026-07-01"} for n in (20, 21, 30)]
    rows, _ = run(tmp_path / "all", keys)
    everything = scanned_by_last()
    assert [row["exact"] is None for row in rows] == [False] * 3
    rows, _ = run(tmp_path / "pruned", keys, partitions={"day": "order_date"})
    assert [row["exact"] is None for row in rows] == [False, True, False]
    assert 0 < scanned_by_last() * 9 < everything


def test_what_is_kept_is_not_asked_again(at_athena: LocalAws, tmp_path: Path) -> None:
    keys = [{"n": n, "key": f"k{n % 3 + 20}", "order_date": "2026-07-01"} for n in range(30)]
    rows, report = run(tmp_path, keys, cache="1h")
    assert [row["note"] for row in rows[:3]] == [ROWS[n]["note"] for n in (20, 21, 22)]
    assert report.calls["athena:StartQueryExecution"] == 1


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("id", (7,), [7, 8]),
        ("id", (Decimal("7.00"),), [7, 8]),
        ("id", (True,), [11]),
        ("nr", ("7", "07", "7.0", "x", "9" * 30), [7]),
        ("NR", (7, 8), [7, 8]),
        ("half", (Decimal("7.50"), Decimal(9)), [7]),
        ("half", (8,), [8]),
        ("born", (date(2026, 7, 2),), [8]),
        ("born", (datetime(2026, 7, 2, tzinfo=UTC),), [8]),
        ("id", (date(2026, 7, 2),), []),
        ("id", ("\ud800", "x"), [9, 10]),
    ],
)
@pytest.mark.fault("A7")
def test_keys_and_columns_of_unlike_types_are_compared_by_value(
    at_athena: LocalAws, name: str, values: tuple[Any, ...], expected: list[int]
) -> None:
    """A key finds every row that plait may call equal; which of them are, plait decides."""
    rows = fetch(lookup("small", "nr"), *values, name=name)
    assert sorted(row["nr"] for row in rows) == expected
    assert all(name in row for row in rows)


@pytest.mark.fault("A7")
def test_key_that_no_value_can_equal_is_an_error(at_athena: LocalAws) -> None:
    with pytest.raises(GiveUp, match=r"column `born` of table `lake.small` is date") as error:
        fetch(lookup("small"), b"x", name="born")
    assert error.value.code == "wrong-type"


@pytest.mark.parametrize(("taken", "name"), [("nr", "idd"), ("idd", "id")])
def test_unknown_column_is_told_with_those_that_there_are(at_athena: LocalAws, taken: str, name: str) -> None:
    with pytest.raises(GiveUp, match="has no column `idd`") as error:
        fetch(lookup("small", taken), "x", name=name)
    assert error.value.help == "its columns are `id`, `nr`, `half`, `born`"


def test_column_and_partition_of_one_name_are_refused(at_athena: LocalAws) -> None:
    with pytest.raises(GiveUp, match="has a column `born` beside the partition `day`"):
        fetch(lookup("orders", partitions={"day": "born"}), "k20")


def test_composite_keys_match_pairs(at_athena: LocalAws) -> None:
    keys = [Key(fields={"id": "x", "nr": 9}), Key(fields={"id": "7", "nr": 10})]
    records = [*single_records(lookup("small").fetch(keys))]
    assert [(record.fields["id"], record.fields["nr"]) for record in records] == [("x", 9)]


@pytest.mark.fault("A6")
def test_key_with_too_many_rows_is_bad_alone(at_athena: LocalAws) -> None:
    records = [
        *single_records(
            lookup("small", max_rows=1).fetch([Key(fields={"id": id}) for id in ("7", "x", "true")])
        )
    ]
    assert sorted(record.fields["id"] for record in records if not record.fault) == ["7", "true"]
    (bad,) = [record for record in records if record.fault]
    assert isinstance(bad.fault, BadRecord)
    assert (bad.fields["id"], bad.fault.message) == ("x", "more than 1 rows for one key")


@pytest.mark.fault("A6")
def test_more_keys_than_a_statement_takes_are_asked_in_several(at_athena: LocalAws) -> None:
    """No statement is longer than Athena's 262,144 bytes, though each quote in a text becomes two."""
    services = Services()
    rows = fetch(lookup("small", "nr", services=services), *("'" * 50_000 + str(n) for n in range(4)), "7")
    assert [row["nr"] for row in rows] == [7]
    assert services.calls["athena:StartQueryExecution"] == 2


def test_no_row_is_no_file_and_no_record(at_athena: LocalAws) -> None:
    services = Services()
    assert fetch(lookup("small", services=services), "absent") == []
    assert fetch(lookup("small", services=services)) == []
    assert services.calls["s3:GetObject"] == 0


def test_sample_is_some_rows_with_all_columns(at_athena: LocalAws) -> None:
    records = lookup("orders").sample()
    assert len(records) == 20
    assert {*records[0].fields} == {*TYPES}
