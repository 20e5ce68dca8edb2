"""Keys that look alike are counted, and joined to nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kit.tables import table
from plait.engine.answers import near_misses
from plait.pipeline.pipeline import Pipeline

PAIRS = table("values/near_misses.yaml")


@pytest.mark.parametrize(("value", "other"), PAIRS["alike"])
def test_these_look_alike(value: Any, other: Any) -> None:
    """In either direction."""
    assert near_misses([(value, 1)], [(other, 1)]) == {(value, 1)}
    assert near_misses([(other, 1)], [(value, 1)]) == {(other, 1)}


@pytest.mark.parametrize(("value", "other"), PAIRS["different"])
def test_these_do_not_look_alike(value: Any, other: Any) -> None:
    """Each part of a key must look alike."""
    assert near_misses([(value, 1)], [(other, 1)]) == set()
    assert near_misses([("a", value)], [("a", other)]) == set()


@pytest.mark.fault("L4")
def test_the_report_counts_keys_that_are_known_in_another_spelling() -> None:
    """They are among the missed keys, each once for however many rows; the columns of those rows are null."""
    people: dict[str, Any] = {
        "connector": "memory",
        "rows": [{"name": "Ada", "n": 1}, {"name": "Bo", "n": 2}],
    }
    people |= {"columns": {"n": "int"}, "join": {"on": {"who": "name"}}}
    orders: dict[str, Any] = {"connector": "memory", "columns": {"who": "string"}}
    orders["rows"] = [{"who": who} for who in ("Ada", "ADA", "bo", "bo", "Cy", None)]
    spec: dict[str, Any] = {"plait": 1, "name": "s", "sources": {"orders": orders, "people": people}}
    spec["sink"] = {"connector": "parquet", "path": "out/"}
    preview = Pipeline.load("s.yaml", {}, json.dumps(spec).encode()).preview_with_report()
    table, report = preview.table, preview.report
    assert table["n"].to_pylist() == [1, None, None, None, None, None]
    counts = report.as_json()["lookups"]["people"]
    assert (counts["rows_matched"], counts["rows_missing"]) == (1, 5)
    assert [counts[f"keys{word}"] for word in ("", "_matched", "_missed", "_inexact")] == [4, 1, 3, 2]
    assert report.lookups["people"].examples == [("ADA",), ("bo",)]
    assert "ADA" not in json.dumps(report.as_json())
