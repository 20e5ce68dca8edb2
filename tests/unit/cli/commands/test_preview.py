"""`plait preview`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.cli.commands.conftest import Call


def test_json_rows_are_exact_and_nothing_is_written(plait: Call, orders: str, project: Path) -> None:
    answer = json.loads(plait("preview", orders, "-o", "json").stdout)
    assert answer["format_version"] == 1
    assert {name: answer["rows"][0][name] for name in ("id", "ordered_at", "total", "items", "name")} == {
        "id": "o1",
        "ordered_at": "2026-07-01T10:00:00Z",
        "total": "1.50",
        "items": [{"sku": "a", "price": "1.10"}, {"sku": "b", "price": "2.20"}],
        "name": "Ana",
    }
    assert not (project / "lake").exists()


def test_the_table_has_a_line_per_row_where_it_fits(
    plait: Call, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = plait("preview", orders).stdout.splitlines()
    (first,) = [line for line in lines if "o1" in line]
    assert '[{"sku": "a", "price": "1.10"}, {"sku": "b", "price": "2.20"}]' in first
    assert "1.50" in first


@pytest.mark.parametrize("width", [40, 80])
def test_rows_stay_within_the_terminal(
    plait: Call, orders: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = plait("preview", orders).stdout
    assert max(map(len, shown.splitlines())) <= width
    assert "1.50" in shown


def test_values_cannot_steer_the_terminal(plait: Call, orders: str) -> None:
    shown = plait("preview", orders).stdout
    assert "\x1b" not in shown
    assert "Bo\\x1b[31m" in shown


def test_limit_and_object_choose_the_rows(plait: Call, orders: str, project: Path) -> None:
    named = json.loads(plait("preview", orders, "--object", project / "raw/o3.json", "-o", "json").stdout)
    assert [row["id"] for row in named["rows"]] == ["o3"]
    limited = json.loads(plait("preview", orders, "--limit", 2, "-o", "json").stdout)
    assert [row["id"] for row in limited["rows"]] == ["o1", "o2"]
