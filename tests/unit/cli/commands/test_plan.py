"""`plait plan`."""

from __future__ import annotations

import json
from pathlib import Path

from unit.cli.commands.conftest import SPEC, Call

LATER = """\
  cities:
    connector: memory
    rows: [{name: Ana, city: Rome}]
    columns: {city: {type: string, default: nowhere}}
    join: {on: name}
partition_by:"""


def test_the_tree_has_the_lookups_in_the_order_of_their_joins(plait: Call, orders: str) -> None:
    Path(orders).write_text(SPEC.replace("partition_by:", LATER))
    shown = plait("plan", orders).stdout
    tree = shown.split("\n\n")[1].splitlines()
    assert tree == [
        "orders (json), one by one",
        "├─ stage 1",
        "│  ├─ items (csv) on id, as list",
        "│  └─ names (memory) on id",
        "└─ stage 2",
        "   └─ cities (memory) on name",
    ]


def test_the_schema_says_type_null_and_origin_of_each_column(plait: Call, orders: str, project: Path) -> None:
    shown = [line.split() for line in plait("plan", orders).stdout.splitlines()]
    assert ["id", "string", "no", "orders.id"] in shown
    assert ["total", "decimal(12,2)", "yes", "orders.total"] in shown
    assert ["items", "array<struct<sku:string,price:decimal(12,2)>>", "no", "items"] in shown
    assert ["day", "date", "yes", "date(ordered_at)"] in shown
    assert ["sink", "parquet", f"{project}/lake/"] in shown
    assert ["quarantine", f"{project}/bad/"] in shown


def test_json_has_the_same(plait: Call, orders: str, project: Path) -> None:
    answer = json.loads(plait("plan", orders, "-o", "json").stdout)
    assert answer["format_version"] == 1
    assert answer["driver"] == {"source": "orders", "connector": "json"}
    assert [[lookup["source"] for lookup in stage] for stage in answer["stages"]] == [["items", "names"]]
    assert answer["stages"][0][0]["on"] == [{"column": "id", "field": "id"}]
    assert answer["columns"][2] == {
        "name": "total",
        "type": "decimal(12,2)",
        "nullable": True,
        "origin": "orders.total",
        "default": None,
        "fields": [],
    }
    assert [partition["name"] for partition in answer["partitions"]] == ["day"]
    assert answer["sink"] == {"connector": "parquet", "path": f"{project}/lake/"}


def test_without_columns_the_schema_is_known_only_at_run_time(plait: Call, orders: str) -> None:
    Path(orders).write_text(SPEC.replace("    columns: {name: string}\n", ""))
    shown = plait("plan", orders).stdout
    assert "more columns: known only at run time, from `names` without `columns`" in shown
    answer = json.loads(plait("plan", orders, "-o", "json").stdout)
    assert answer["undeclared"] == ["names"]
    assert [column["name"] for column in answer["columns"]] == ["id", "ordered_at", "total", "items"]


def test_a_parameter_without_a_value_is_refused(plait: Call, project: Path) -> None:
    ended = plait("plan", project / "orders.yaml")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "error[missing-parameter]: the parameter `root` has no value" in ended.stderr


def test_param_wins_over_the_environment(plait: Call, orders: str) -> None:
    answer = json.loads(plait("plan", orders, "--param", "root=/elsewhere", "-o", "json").stdout)
    assert answer["sink"]["path"] == "/elsewhere/lake/"


def test_param_must_name_a_parameter_and_give_a_value(plait: Call, orders: str) -> None:
    no_value, unknown = plait("plan", orders, "--param", "root"), plait("plan", orders, "--param", "rot=x")
    assert (no_value.exit_code, unknown.exit_code) == (2, 2)
    assert "is not `name=value`" in no_value.stderr
    assert "did you mean `root`?" in unknown.stderr


def test_a_spec_with_problems_prints_them_on_stderr(plait: Call, orders: str) -> None:
    Path(orders).write_text(SPEC.replace("connector: csv", "connector: csw"))
    ended = plait("plan", orders)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "error[unknown-connector]" in ended.stderr
