"""A small project on real files: orders in JSON, their items in CSV, names in the spec itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plait.cli.main import main

SPEC = """\
plait: 1
name: orders
description: Orders with their items.
parameters:
  root: {env: ORDERS_ROOT}
sources:
  orders:
    connector: json
    path: ${root}/raw/*.json
    columns:
      id: {type: string, required: true}
      ordered_at: timestamp
      total: decimal(12,2)
  items:
    connector: csv
    path: ${root}/items/{id}.csv
    columns: {sku: string, price: "decimal(12,2)"}
    join: {on: id, as: list}
  names:
    connector: memory
    rows: [{id: o1, name: Ana}, {id: o2, name: "Bo\\e[31m"}]
    columns: {name: string}
    join: {on: id}
partition_by: {day: date(ordered_at)}
sink: {connector: parquet, path: "${root}/lake/"}
quarantine: ${root}/bad/
"""

Call = Callable[..., Result]


@pytest.fixture
def plait(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call the command line in this process; a bug is raised."""
    monkeypatch.delenv("ORDERS_ROOT", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)

    return call


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write a folder with `orders.yaml` and three orders, the first of which has items."""
    raw, items = tmp_path / "raw", tmp_path / "items"
    raw.mkdir()
    items.mkdir()
    for n in (1, 2, 3):
        order = {"id": f"o{n}", "ordered_at": f"2026-07-0{n}T10:00:00Z", "total": f"{n}.50"}
        (raw / f"o{n}.json").write_text(json.dumps(order))
    (items / "o1.csv").write_text("sku,price\na,1.10\nb,2.20\n")
    (tmp_path / "orders.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture
def orders(project: Path, monkeypatch: pytest.MonkeyPatch, plait: Call) -> str:
    """Bind the spec by its environment and name its file."""
    monkeypatch.setenv("ORDERS_ROOT", str(project))
    return str(project / "orders.yaml")
