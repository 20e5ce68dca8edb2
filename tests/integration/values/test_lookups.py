"""What look-ups that change, fail or chain mean for the rows."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kit.run import run

IDS = {"columns": {"id": "string"}}


def by_file(name: str, root: Path, **join: Any) -> dict[str, Any]:
    """A look-up of one column `name` in files of a folder `name`."""
    (root / name).mkdir()
    (root / name / "a.csv").write_text(f"{name}\n1\n")
    source = {"connector": "csv", "path": f"{root}/{name}/{{id}}.csv", "columns": {name: "int"}}
    return {**source, "join": {"on": "id", **join}}


@pytest.mark.fault("L5")
def test_a_look_up_that_changed_replaces_the_rows_of_a_delivery_before(tmp_path: Path) -> None:
    """The file is what the look-up said when its object was last run, and there is still one."""
    lookup = by_file("score", tmp_path)
    for score in (1, 2):
        (tmp_path / "score" / "a.csv").write_text(f"score\n{score}\n")
        lake = run(tmp_path, [{"id": "a"}], {"orders": IDS, "score": lookup})
        assert lake.rows() == [{"id": "a", "score": score}]


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
    lake = run(tmp_path, [{"id": "a"}], {"orders": IDS, **lookups})
    assert (lake.report.objects["retry"], lake.report.objects["done"], lake.rows()) == (1, 0, [])
    assert [p.code for p in lake.report.problems] == ["try-again"]


def make_odd(file: Path, kind: str) -> None:
    """A look-up's file that cannot be read, or is no CSV."""
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "loop":
        file.symlink_to(file)
    else:
        file.write_text(
            "sku,n\nx,1\n" + {"large": "x,1\n" * 99, "cut off": 'y,"2\n', "wide": "y,2,3\n"}[kind]
        )


@pytest.mark.fault("L6")
@pytest.mark.parametrize("on", ["id", ["id", "sku"]], ids=str)
@pytest.mark.parametrize(
    ("kind", "outcome", "code"),
    [
        ("pipe", "failed", "not-a-file"),
        ("loop", "retry", "try-again"),
        ("large", "failed", "bad-record"),
        ("cut off", "failed", "bad-record"),
        ("wide", "failed", "bad-record"),
    ],
)
def test_one_odd_file_concerns_the_rows_that_name_it_alone(
    tmp_path: Path, kind: str, outcome: str, code: str, on: Any
) -> None:
    """Also where the join asks by more than the path names; a bad record fails its object, as there is no quarantine."""
    (tmp_path / "n").mkdir()
    (tmp_path / "n/good.csv").write_text("sku,n\nx,1\n")
    make_odd(tmp_path / "n/odd.csv", kind)
    source = {
        "connector": "csv",
        "path": f"{tmp_path}/n/{{id}}.csv",
        "max_bytes": 100,
        "columns": {"n": "int"},
    }
    rows = [{"id": name, "sku": "x"} for name in ("odd", "good", "none")]
    orders = {"columns": {"id": "string", "sku": "string"}}
    for cache in ({}, {"cache": "1h"}):
        lake = run(tmp_path, rows, {"orders": orders, "n": {**source, **cache, "join": {"on": on}}})
        assert (lake.report.objects["done"], lake.report.objects[outcome]) == (2, 1)
        assert [problem.code for problem in lake.report.problems] == [code]
        assert sorted((row["id"], row["n"]) for row in lake.rows()) == [("good", 1), ("none", None)]


@pytest.mark.fault("L6")
@pytest.mark.usefixtures("at_aws")
def test_a_look_up_that_is_not_there_fails_the_objects(tmp_path: Path) -> None:
    """A missing table is an error of the run, where a missing item is no match."""
    table = {"connector": "dynamodb", "table": "nowhere", "columns": {"v": "int"}, "join": {"on": "id"}}
    sources = {"orders": IDS, "items": by_file("n", tmp_path), "table": table}
    lake = run(tmp_path, [{"id": "a"}], sources)
    assert (lake.report.objects["failed"], lake.rows()) == (1, [])


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
    for (column, _, *keys), (name, kind, *values) in pairwise(LINKS):
        rows = [{"key": key, "to": value} for key, value in zip(keys, values, strict=True)]
        columns = {name: {"type": kind, "from": "to"}}
        join = {"on": {column: "key"}}
        lookups[f"by_{column}"] = {"connector": "memory", "rows": rows, "columns": columns, "join": join}
    backwards = dict(reversed(lookups.items()))
    lake = run(tmp_path, [{"id": "a"}, {"id": "b"}, {"id": None}], {"orders": IDS, **backwards})
    assert {row["id"]: row["ok"] for row in lake.rows()} == {"a": True, "b": None, None: None}
    asked_keys = {name: lake.report.lookups[name].keys for name in lookups}
    assert asked_keys == {**dict.fromkeys(lookups, 1), "by_id": 2}
