"""What is in the lake has the shape that the spec says, whatever the data; and `plan` says how many files it will be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from plait import load
from plait.cli.main import main
from plait.language.validate import validate
from plait.plan.diff import changes
from plait.plan.plan import plan

COLUMNS: dict[str, Any] = {
    "id": {"type": "string", "required": True},
    "total": "decimal(12,2)",
    "tags": "array<string>",
    "place": "struct<city:string,zip:int>",
    "note": {"type": "string", "default": "none"},
}
FIELDS = st.fixed_dictionaries(
    {"id": st.text("abc", min_size=1, max_size=3)},
    optional={
        "total": st.sampled_from([None, 1, 1.5, "12.50", "much", True, {}, []]),
        "tags": st.sampled_from([None, [], ["a", None], "a", [[]], [1]]),
        "place": st.sampled_from([None, {}, {"city": "Lugo"}, {"zip": 27001, "more": 1}, {"city": 1}, []]),
        "note": st.sampled_from([None, "", "n", 7]),
        "unknown": st.sampled_from([1, {}, [{"a": 1}]]),
    },
)


def spec(columns: dict[str, Any], partition: dict[str, str] | None = None) -> dict[str, Any]:
    """A pipeline with these columns."""
    made = {
        "plait": 1,
        "name": "orders",
        "sources": {"orders": {"connector": "json", "path": "raw/*.json", "columns": columns}},
        "sink": {"connector": "parquet", "path": "lake/"},
        "quarantine": "bad/",
    }
    return {**made, "partition_by": partition} if partition else made


def run(made: dict[str, Any], objects: dict[str, dict[str, Any]]) -> Any:
    """Run a spec over objects, in the current folder; every file that it wrote is named in the report."""
    for name, fields in objects.items():
        file = Path("raw", f"{name}.json")
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(fields), encoding="utf-8")
    Path("orders.yaml").write_text(json.dumps(made), encoding="utf-8")
    report = load("orders.yaml").run([f"raw/{name}.json" for name in objects])
    assert report.ok, report.problems
    return report


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.fault("P12")
def test_the_schema_of_a_file_is_that_of_the_spec_whatever_the_data(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Nulls alone, unknown fields, empty lists and mappings, other types in other objects: one schema, or no row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("schemas"))
        full_order = {"id": "a", "total": 1, "tags": ["a"], "place": {"city": "a", "zip": 1}, "note": "n"}
        (file,) = run(spec(COLUMNS), {"full": full_order}).files
        declared = pq.read_schema(file.uri)

        @settings(max_examples=40)
        @given(st.lists(FIELDS, min_size=1, max_size=6))
        def check(records: list[dict[str, Any]]) -> None:
            report = run(spec(COLUMNS), {str(n): record for n, record in enumerate(records)})
            assert [f.uri for f in report.files if pq.read_schema(f.uri) != declared] == []
            assert report.records.written + report.records.quarantined == len(records)

        check()


@pytest.mark.fault("P12")
def test_a_new_column_is_null_in_old_files_and_breaks_no_reader(project: Path) -> None:
    """Files before and after are read as one table, by name; nothing that was written is written again."""
    old, new = spec(COLUMNS), spec({"loyalty": "bigint", **COLUMNS})
    run(old, {"a": {"id": "a", "total": 1, "loyalty": 7}})
    before = {file: file.read_bytes() for file in Path("lake").rglob("*.parquet")}
    run(new, {"b": {"id": "b", "total": 2, "loyalty": 8}})
    assert {file: file.read_bytes() for file in before} == before
    query = "SELECT id, total, loyalty FROM read_parquet('lake/**/*.parquet', union_by_name=true) ORDER BY id"
    assert [(i, float(t), n) for i, t, n in duckdb.execute(query).fetchall()] == [
        ("a", 1.0, None),
        ("b", 2.0, 8),
    ]
    assert [change.kind for change in changes_between(old, new)] == ["column-added"]
    assert not any(change.breaking for change in changes_between(old, new))


def changes_between(old: dict[str, Any], new: dict[str, Any]) -> Any:
    """What changes for readers between two specs."""
    specs = [validate(json.dumps(document), "orders.yaml").spec for document in (old, new)]
    assert all(specs)
    return changes(*(plan(checked) for checked in specs if checked))


@pytest.mark.fault("P12")
def test_a_name_that_changes_its_case_is_another_column_to_readers_and_both_at_once_are_a_problem() -> None:
    """Some engines see the case of a name and some do not, so neither is left to chance."""
    renamed = spec({("Total" if name == "total" else name): column for name, column in COLUMNS.items()})
    seen = {(change.kind, change.name, change.breaking) for change in changes_between(spec(COLUMNS), renamed)}
    assert seen >= {("column-removed", "total", True), ("column-added", "Total", False)}
    both = json.dumps(spec({**COLUMNS, "Total": "bigint"}), indent=1)
    assert {problem.code for problem in validate(both, "orders.yaml").errors} == {"case-clash"}


@pytest.mark.fault("P12")
def test_a_file_may_have_hundreds_of_columns_with_the_names_of_words_of_sql(project: Path) -> None:
    names = ["select", "from", "table", "date", "order", "null", *(f"c{n}" for n in range(594))]
    report = run(spec(dict.fromkeys(names, "bigint")), {"a": dict.fromkeys(names, 1)})
    assert pq.read_table(report.files[0].uri, partitioning=None).to_pylist() == [dict.fromkeys(names, 1)]


@pytest.mark.fault("P13")
def test_the_plan_says_how_many_files_there_will_be(project: Path) -> None:
    """A file for each object, by a formula and as a number; a run leaves so many, whatever the batch."""
    made = spec(COLUMNS, {"part": "bucket(4, id)"})
    report = run(made, {str(n): {"id": str(n)} for n in range(30)})
    assert len(report.files) == len([*Path("lake").rglob("*.parquet")]) == 30
    planned = CliRunner().invoke(main, ["plan", "orders.yaml", "--objects", "7000000", "-o", "json"])
    quantities = {
        quantity["name"]: quantity for quantity in json.loads(planned.stdout)["forecast"]["assumptions"]
    }
    assert (quantities["files"]["value"], quantities["files"]["why"]) == (
        7_000_000,
        "each object gives one file",
    )
    on_s3 = Path("orders.yaml")
    on_s3.write_text(on_s3.read_text("utf-8").replace('"lake/"', '"s3://lake/orders/"'), encoding="utf-8")
    shown = CliRunner().invoke(main, ["plan", "orders.yaml", "--objects", "7000000"]).stdout
    put = next(line.split() for line in shown.splitlines() if line.startswith("s3:PutObject"))
    assert put[1:3] == ["7,000,000", "files"]
