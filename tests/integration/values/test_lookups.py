"""What look-ups that change, fail or chain mean for the rows."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from plait.engine.report import Report
from plait.pipeline.pipeline import Pipeline


def run(root: Path, lookups: dict[str, Any], columns: dict[str, str], *orders: dict[str, Any]) -> Report:
    """Run a pipeline of orders and look-ups in a folder."""
    for n, order in enumerate(orders):
        (root / f"order{n}.json").write_text(json.dumps(order))
    driver = {"connector": "json", "path": f"{root}/order*.json", "columns": columns}
    spec = {"plait": 1, "name": "s", "sources": {"orders": driver, **lookups}}
    spec |= {"sink": {"connector": "parquet", "path": f"{root}/out/"}}
    return Pipeline.load("s.yaml", {}, json.dumps(spec).encode()).run()


def rows(root: Path) -> list[dict[str, Any]]:
    """All rows that were written, by their files' names."""
    return [row for f in sorted((root / "out").rglob("*.parquet")) for row in pq.read_table(f).to_pylist()]


def by_file(name: str, root: Path, **join: Any) -> dict[str, Any]:
    """A look-up of one column `name` in files of a folder `name`."""
    (root / name).mkdir()
    (root / name / "a.csv").write_text(f"{name}\n1\n")
    columns = {name: "int"}
    return {
        "connector": "csv",
        "path": f"{root}/{name}/{{id}}.csv",
        "columns": columns,
        "join": {"on": "id", **join},
    }


@pytest.mark.fault("L5")
def test_a_look_up_that_changed_replaces_the_rows_of_a_delivery_before(tmp_path: Path) -> None:
    """The file is what the look-up said when its object was last run, and there is still one."""
    lookup = by_file("score", tmp_path)
    run(tmp_path, {"score": lookup}, {"id": "string"}, {"id": "a"})
    assert rows(tmp_path) == [{"id": "a", "score": 1}]
    (tmp_path / "score" / "a.csv").write_text("score\n2\n")
    run(tmp_path, {"score": lookup}, {"id": "string"}, {"id": "a"})
    assert rows(tmp_path) == [{"id": "a", "score": 2}]


@pytest.mark.fault("L6")
@pytest.mark.parametrize("missing", ["keep", "drop", "fail"])
@pytest.mark.parametrize("failing", range(5))
def test_one_of_five_look_ups_that_fails_never_leaves_nulls(
    tmp_path: Path, failing: int, missing: str
) -> None:
    """Whatever its rule for misses: the rows are not written, and their objects come again."""
    names = [f"l{n}" for n in range(5)]
    lookups = {name: by_file(name, tmp_path, missing=missing) for name in names}
    broken = tmp_path / names[failing] / "a.csv"
    broken.unlink()
    broken.symlink_to(broken)
    report = run(tmp_path, lookups, {"id": "string"}, {"id": "a"})
    assert (report.objects["retry"], report.objects["done"], rows(tmp_path)) == (1, 0, [])
    assert [p.code for p in report.problems] == ["try-again"]


@pytest.mark.fault("L6")
@pytest.mark.usefixtures("at_aws")
def test_a_look_up_that_is_not_there_fails_the_objects(tmp_path: Path) -> None:
    """A missing table is an error of the run, where a missing item is no match."""
    table = {"connector": "dynamodb", "table": "nowhere", "columns": {"v": "int"}, "join": {"on": "id"}}
    report = run(tmp_path, {"items": by_file("n", tmp_path), "table": table}, {"id": "string"}, {"id": "a"})
    assert (report.objects["failed"], rows(tmp_path)) == (1, [])


LINKS: list[tuple[str, str, Any, Any]] = [
    ("id", "string", "a", "z"),
    ("number", "bigint", 7, 8),
    ("money", "decimal(12,2)", "7.00", "8.5"),
    ("day", "date", "2026-07-01", "2026-07-02"),
    ("at", "timestamp", "2026-07-01T10:00:00Z", "2026-07-01 13:00:00+02:00"),
    ("ok", "boolean", True, False),
]


@pytest.mark.fault("L3")
def test_a_chain_of_look_ups_passes_keys_of_any_type_on(tmp_path: Path) -> None:
    """Each is asked by what the one before it brought; where one has no match, nothing is asked of the next."""
    lookups: dict[str, Any] = {}
    for (asked, _, *keys), (name, kind, *values) in pairwise(LINKS):
        found = [{"key": key, "to": value} for key, value in zip(keys, values, strict=True)]
        columns = {name: {"type": kind, "from": "to"}}
        join = {"on": {asked: "key"}}
        lookups[f"by_{asked}"] = {"connector": "memory", "rows": found, "columns": columns, "join": join}
    backwards = dict(reversed(lookups.items()))
    report = run(tmp_path, backwards, {"id": "string"}, {"id": "a"}, {"id": "b"}, {"id": None})
    assert {row["id"]: row["ok"] for row in rows(tmp_path)} == {"a": True, "b": None, None: None}
    assert {name: report.lookups[name].keys for name in lookups} == {**dict.fromkeys(lookups, 1), "by_id": 2}
