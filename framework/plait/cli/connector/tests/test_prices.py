"""A row gets what `prices` holds for its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plait

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """
plait: 1
name: try
sources:
  orders: {connector: memory, rows: [{id: a}, {id: b}], columns: {id: string}}
  prices:
    connector: prices
    rows: [{id: a, value: 4}]
    columns: {value: int}
    join: {on: id}
sink: {connector: parquet, path: out/}
"""


def test_a_row_gets_what_the_source_holds_for_its_key(tmp_path: Path) -> None:
    """The row of a key that the source does not have stays, with null."""
    spec = tmp_path / "try.yaml"
    spec.write_text(SPEC)
    rows = plait.load(str(spec)).preview().to_pylist()
    assert rows == [{"id": "a", "value": 4}, {"id": "b", "value": None}]
